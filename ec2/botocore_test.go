package ec2_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
)

// Every action is called by the aws CLI's own library with every member filled:
// it must send the parameters that the query tags say, and read the answer's XML
// as the members and in the order that the json tags say.
func TestEveryActionSpeaksWithBotocore(t *testing.T) {
	version, err := exec.Command("python3", "-c", "import botocore; print(botocore.__version__, end='')").Output()
	if string(version) != "1.43.11" { // the model's
		t.Skipf("botocore 1.43.11 is not installed here: %q, %v", version, err)
	}
	var sent url.Values
	var answer any
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		sent = r.PostForm
		text, err := ec2.MarshalResponse(sent.Get("Action"), "req-1", answer)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	}))
	defer endpoint.Close()
	in, answers := startBotocore(t)
	_, err = fmt.Fprintln(in, endpoint.URL)
	require.NoError(t, err)

	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range ec2.Actions {
		request := a.Request()
		fill(r, reflect.ValueOf(request).Elem(), 0)
		answer = nil
		if a.Result != nil {
			answer = a.Result()
			fill(r, reflect.ValueOf(answer).Elem(), 0)
		}
		call, err := json.Marshal(map[string]any{"action": a.Name, "request": request})
		require.NoError(t, err)
		_, err = fmt.Fprintf(in, "%s\n", call)
		require.NoError(t, err)
		line, err := answers.ReadString('\n')
		require.NoError(t, err)

		want := url.Values{"Action": {a.Name}, "Version": {"2016-11-15"}}
		parameters(want, "", reflect.ValueOf(request).Elem())
		require.Equal(t, want, sent, "%s: %s", a.Name, line)

		read := struct{ Result json.RawMessage }{}
		require.NoError(t, json.Unmarshal([]byte(line), &read), line)
		if answer == nil {
			continue // some say that they are done, others nothing
		}
		printed, err := json.Marshal(answer)
		require.NoError(t, err)
		if a.Name == "DescribeVpcEndpointServices" { // its pages, when put together, are in another order: the golden file in awscli
			require.JSONEq(t, string(printed), string(read.Result))
			continue
		}
		require.Equal(t, tokens(printed), tokens(read.Result), a.Name)
	}
}

// startBotocore starts the process that calls the endpoint.
func startBotocore(t *testing.T) (io.Writer, *bufio.Reader) {
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/call.py")
	cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+os.DevNull, "NO_PROXY=127.0.0.1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	return in, bufio.NewReader(out)
}

// tokens are those of JSON text, one a line, in their order.
func tokens(text []byte) string {
	var b strings.Builder
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return b.String()
		}
		fmt.Fprintf(&b, "%v\n", token)
	}
}

// fill gives every member a value, to a depth at which shapes within themselves end.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), depth+1)
		}
	case reflect.Slice:
		n := 2
		if depth > 12 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("2020-02-12T18:00:%02dZ", r.IntN(60))) // does for times and all else
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1000 + r.Int64N(1000))
	case reflect.Float64:
		v.SetFloat(0.5 + float64(r.IntN(100)))
	default:
		panic("ec2: a shape holds a " + v.Type().String())
	}
}

// parameters adds what a request sends under the prefix, by the query tags.
func parameters(to url.Values, prefix string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		parameters(to, prefix, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("query")
			if prefix != "" {
				name = prefix + "." + name
			}
			parameters(to, name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			parameters(to, fmt.Sprintf("%s.%d", prefix, i+1), v.Index(i))
		}
	default:
		if blob, ok := v.Interface().(ec2.Blob); ok { // botocore takes the data and encodes it itself
			to.Set(prefix, base64.StdEncoding.EncodeToString([]byte(blob)))
			return
		}
		to.Set(prefix, fmt.Sprint(v.Interface()))
	}
}
