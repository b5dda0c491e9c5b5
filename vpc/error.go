package vpc

import "fmt"

// Error is what the EC2 API answers to a request that it refuses. Where the doc
// comment of the call that returns it does not say otherwise, code and message
// are those that AWS has been seen to send (docs/fidelity.md has the source).
type Error struct {
	// Code is AWS's error code, such as RouteAlreadyExists.
	Code string
	// Message is AWS's sentence.
	Message string
}

// Error returns code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is makes errors.Is(err, &Error{Code: "RouteAlreadyExists"}) ask for the code,
// and for the message too where the target has one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && (t.Code == "" || t.Code == e.Code) && (t.Message == "" || t.Message == e.Message)
}

// Refuse returns the *Error with the code and the formatted message.
func Refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
