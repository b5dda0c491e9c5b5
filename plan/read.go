package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// document is the plan's, or the state's, JSON as far as it is read.
type document struct {
	FormatVersion   string                         `json:"format_version"`
	PlannedValues   *values                        `json:"planned_values"`
	PriorState      *struct{ Values *values }      `json:"prior_state"`
	Values          *values                        `json:"values"` // of a state
	ResourceChanges []change                       `json:"resource_changes"`
	Configuration   configuration                  `json:"configuration"`
	Variables       map[string]struct{ Value any } `json:"variables"`
}

// prior returns the values before the plan, empty ones where there is no state.
func (d *document) prior() *values {
	if d.PriorState == nil || d.PriorState.Values == nil {
		return &values{}
	}
	return d.PriorState.Values
}

type values struct {
	RootModule module `json:"root_module"`
}

type module struct {
	Address      string
	Resources    []resourceValues
	ChildModules []module `json:"child_modules"`
}

type resourceValues struct {
	Address, Mode, Type, Name string
	ProviderName              string `json:"provider_name"`
	Values                    map[string]any
}

// change is what a plan does to a resource; AfterUnknown is true, or has true in it,
// where a value is known only after apply.
type change struct {
	Address string
	Deposed string // the key of an object that an apply that failed has left to delete, "" of the resource's own
	Change  struct {
		Actions      []string
		AfterUnknown any `json:"after_unknown"`
	}
}

type configuration struct {
	ProviderConfig map[string]providerConfig `json:"provider_config"`
	RootModule     configModule              `json:"root_module"`
}

type providerConfig struct {
	Expressions map[string]any
}

// configModule is a module as it is written. An expression is a map with
// constant_value or references; a block is a map of expressions, or a list of those.
type configModule struct {
	Resources   []configResource
	ModuleCalls map[string]moduleCall `json:"module_calls"`
	Outputs     map[string]struct{ Expression any }
}

type configResource struct {
	Address           string
	ProviderConfigKey string `json:"provider_config_key"`
	Expressions       map[string]any
	ForEachExpression any `json:"for_each_expression"`
}

type moduleCall struct {
	Expressions       map[string]any
	ForEachExpression any `json:"for_each_expression"`
	CountExpression   any `json:"count_expression"`
	Module            configModule
}

func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

// Read reads a plan or a state. The error is a *Error.
func Read(data []byte) (*Plan, error) {
	var d document
	text := trimBOM(data)
	shift := int64(len(data) - len(text))
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		return nil, &Error{Msg: `expected JSON, found a plan in Terraform's own format: "terraform show -json" prints it as JSON`}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return nil, readError(err, text, shift)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Offset: shift + dec.InputOffset(), Msg: "expected the end behind the plan's object"}
	}
	switch major, _, _ := strings.Cut(d.FormatVersion, "."); {
	case d.FormatVersion == "":
		return nil, &Error{Msg: `expected what "terraform show -json" prints, found no format_version`}
	case major != "0" && major != "1":
		return nil, &Error{Msg: fmt.Sprintf("format_version %q: expected 1, or 0 of Terraform before 1.1", d.FormatVersion)}
	case d.PlannedValues == nil && d.Values == nil:
		return nil, &Error{Msg: `expected planned_values of a plan, or values of a state: "terraform show -json" prints both`}
	}
	return &Plan{doc: d}, nil
}

func readError(err error, text []byte, shift int64) error {
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typ):
		return &Error{Offset: shift + typ.Offset - 1, Msg: fmt.Sprintf("expected %s, found %s", kindName(typ), typ.Value)}
	case errors.As(err, &syntax):
		return &Error{Offset: shift + syntax.Offset, Msg: "expected JSON: " + syntax.Error()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Offset: shift + int64(len(text)), Msg: "expected more JSON, the file ends"}
	}
	return &Error{Msg: "expected JSON: " + err.Error()}
}

// kindName is what JSON calls the kind of a Go type.
func kindName(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	}
	return "a " + e.Type.Kind().String()
}
