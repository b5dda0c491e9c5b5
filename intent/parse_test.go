package intent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/intent"
)

func name(s string) intent.Endpoint { return intent.Endpoint{Name: s} }

var internet = intent.Endpoint{Name: intent.Internet, Internet: true}

func TestParseLine(t *testing.T) {
	for text, want := range map[string]intent.Intent{
		"web -> db tcp/5432 reachable": {From: name("web"), To: name("db"), Traffic: intent.Traffic{Protocol: intent.TCP, First: 5432, Last: 5432}, Reachable: true},
		"internet -> db any blocked":   {From: internet, To: name("db"), Traffic: intent.Traffic{Protocol: intent.Any}, Blocked: true},
		"app -> internet via nat-a":    {From: name("app"), To: internet, Via: []intent.Endpoint{name("nat-a")}},
		"app->db blocked by X_1":       {From: name("app"), To: name("db"), Blocked: true, Code: "X_1"},
		`"the web" -> "internet" udp/1-65535 reachable via "a\"b\\" 10.0.0.1`: {
			From: name("the web"), To: name("internet"), Traffic: intent.Traffic{Protocol: intent.UDP, First: 1, Last: 65535}, Reachable: true,
			Via: []intent.Endpoint{name(`a"b\`), name("10.0.0.1")},
		},
		"10.0.0.0/24 -> 2001:db8::1 icmp reachable # why": {From: name("10.0.0.0/24"), To: name("2001:db8::1"), Traffic: intent.Traffic{Protocol: intent.ICMP}, Reachable: true},
		"a -> b tcp blocked":                              {From: name("a"), To: name("b"), Traffic: intent.Traffic{Protocol: intent.TCP}, Blocked: true},
	} {
		got, err := intent.ParseLine(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := intent.ParseLine(got.String())
		require.NoError(t, err, got.String())
		require.Equal(t, got, again)
	}
}

func TestSyntaxErrorsSayWhereAndWhat(t *testing.T) {
	const what = "traffic such as tcp/443, icmp or any; or reachable, blocked or via"
	const who = "a name, an id, an address, a CIDR or internet"
	const ports = "a port or a range of ports, 1 to 65535, such as tcp/443 or tcp/8000-8010"
	for text, want := range map[string]string{
		"web":                         "f:1:4: expected ->, found end of line",
		"web db tcp/1 reachable":      `f:1:5: expected ->, found "db"`,
		"-> db any blocked":           `f:1:1: expected ` + who + `, found "->"`,
		"web ->":                      "f:1:7: expected " + who + ", found end of line",
		"web -> # c":                  "f:1:8: expected " + who + ", found end of line",
		"any -> db blocked":           `f:1:1: expected ` + who + `, found "any"`,
		"web -> db":                   "f:1:10: expected " + what + ", found end of line",
		"web -> db reachabel":         `f:1:11: expected ` + what + `, found "reachabel"`,
		"web -> db tcp/0 reachable":   `f:1:15: expected ` + ports + `, found "0"`,
		"web -> db tcp/9-8 reachable": `f:1:15: expected ` + ports + `, found "9-8"`,
		"web -> db tcp/ reachable":    `f:1:15: expected ` + ports + `, found ""`,
		"web -> db udp/65536 blocked": `f:1:15: expected ` + ports + `, found "65536"`,
		"web -> db icmp/8 blocked":    `f:1:15: expected icmp without ports, found "/8"`,
		"web -> db any/8 blocked":     `f:1:14: expected any without ports, found "/8"`,
		"web -> db tcp/1":             "f:1:16: expected reachable, blocked or via, found end of line",
		"web -> db tcp/1 blocked x":   `f:1:25: expected end of line, found "x"`,
		"web -> db blocked by":        "f:1:21: expected an explanation code such as ENI_SG_RULES_MISMATCH, found end of line",
		"web -> db blocked by nacl":   `f:1:22: expected an explanation code such as ENI_SG_RULES_MISMATCH, found "nacl"`,
		"web -> db via":               "f:1:14: expected " + who + ", found end of line",
		`web -> "db blocked`:          `f:1:19: expected a closing ", found end of line`,
		`web -> "" blocked`:           `f:1:8: expected ` + who + `, found ""`,
		`web -> "a\n" blocked`:        `f:1:10: expected \" or \\, found "\"`,
		"wéb\x00 -> db blocked":       `f:1:4: expected a name (with other characters in double quotes), found '\x00'`,
		"a -> b icmp reachable\n\nx":  "f:3:2: expected ->, found end of line",
	} {
		f, err := intent.Parse("f", text)
		require.EqualError(t, err, want, text)
		require.Nil(t, f)
	}
	_, err := intent.ParseLine("  ")
	require.EqualError(t, err, "intent:1:1: expected "+who+", found end of line")
	_, err = intent.ParseLine("a -> b via c\nd")
	require.EqualError(t, err, "intent:1:13: expected one line, found a line break")
}

func TestAFileKeepsItsCommentsAndLines(t *testing.T) {
	text := "# the application\n\nweb -> db tcp/5432 reachable  # the only way in\n#\n"
	f, err := intent.Parse("f", text)
	require.NoError(t, err)
	require.Equal(t, text, f.String())
	require.Len(t, f.Intents(), 1)
	require.Equal(t, 3, f.Intents()[0].Number)

	f, err = intent.Parse("f", "  web->db   tcp/5432 \treachable#x\r\n")
	require.NoError(t, err)
	require.Equal(t, "web -> db tcp/5432 reachable  # x\n", f.String())
}

func FuzzPrintedFilesReadAsTheSame(f *testing.F) {
	f.Add("web -> db tcp/5432 reachable # x\n\n#\ninternet -> \"a b\" any blocked by X\napp->internet via nat-a \"c\\\"\"")
	f.Add("\"internet\" -> any")
	f.Add("a- -> -b tcp/1-2 blocked\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := intent.Parse("f", text)
		if err != nil {
			require.IsType(t, &intent.SyntaxError{}, err)
			return
		}
		again, err := intent.Parse("f", file.String())
		require.NoError(t, err, "%q", file.String())
		require.Equal(t, file, again)
		require.Equal(t, file.String(), again.String())
	})
}
