"""Prints values with the installed aws CLI's own formatters.

Reads one case a line, {"format", "operation", "columns", "query", "value"},
and answers each with a line, {"out"} or {"error"}. A value's types and the order of its
members are those of its JSON.
"""
import argparse
import io
import json
import sys

import awscli.table
import jmespath
from awscli.formatter import get_formatter

for line in sys.stdin:
    case = json.loads(line)
    try:
        query = jmespath.compile(case["query"]) if case["query"] else None
        awscli.table.determine_terminal_width = lambda: case["columns"]  # as if a terminal were asked
        out = io.StringIO()
        formatter = get_formatter(case["format"], argparse.Namespace(color="off", query=query))
        value = case["value"]
        if not isinstance(value, dict):  # no answer is one; the formatters look into it for the request's id
            formatter._remove_request_id = lambda response: None
        formatter(case["operation"], value, out)
        answer = {"out": out.getvalue()}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
