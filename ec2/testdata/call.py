"""Calls an EC2 endpoint with the installed botocore, the library under the aws CLI.

Reads the endpoint's address and then one call a line, {"action", "request"};
answers each with a line, {"result"} or {"error"}. Times and binary data stay text
as in the CLI.
"""
import json
import sys

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.handlers import base64_encode_user_data

session = botocore.session.get_session()
session.set_credentials("simulated", "simulated")
session.get_component("response_parser_factory").set_parser_defaults(
    timestamp_parser=lambda text: text, blob_parser=lambda text: text
)
session.unregister("before-parameter-build.ec2.RunInstances", base64_encode_user_data)
endpoint = sys.stdin.readline().strip()
ec2 = session.create_client(
    "ec2", region_name="us-east-1", endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1})
)

for line in sys.stdin:
    call = json.loads(line)
    try:
        result = getattr(ec2, xform_name(call["action"]))(**call["request"])
        del result["ResponseMetadata"]
        answer = {"result": result}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
