package trace_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
)

// The codes of AWS's Reachability Analyzer guide, "Explanation codes".
func awsCodes(t *testing.T) []string {
	b, err := os.ReadFile("testdata/explanation-codes.txt")
	require.NoError(t, err)
	codes := strings.Fields(string(b))
	require.Len(t, codes, 89)
	return codes
}

func TestEveryReasonHasWordsOfItsOwn(t *testing.T) {
	words := map[string]trace.Reason{}
	for _, r := range trace.Reasons() {
		text := r.String()
		require.NotEmpty(t, text, "reason %d", uint8(r))
		require.NotContains(t, text, "Reason(", "reason %d", uint8(r))
		require.Zero(t, words[text], "%q is said of two", text)
		words[text] = r
	}
	require.Greater(t, len(words), 40)
}

func TestEveryDropHasACodeOfAWSsOrOfOurs(t *testing.T) {
	aws := awsCodes(t)
	for _, r := range trace.Reasons() {
		code := r.Code()
		require.Equal(t, r.IsDrop(), code != "", r.String())
		if strings.HasPrefix(code, "SIM_") {
			require.NotContains(t, aws, code)
		} else if r.IsDrop() {
			require.Contains(t, aws, code, r.String())
		}
	}
}

func TestOnlyDropsAreDrops(t *testing.T) {
	var kept []trace.Reason
	for _, r := range trace.Reasons() {
		if !r.IsDrop() {
			kept = append(kept, r)
		}
	}
	require.Equal(t, []trace.Reason{trace.Delivered, trace.Forwarded, trace.Answered, trace.Fragmented, trace.Encapsulated, trace.Decapsulated, trace.Reassembling}, kept)
	require.False(t, trace.None.IsDrop())
}

func TestAReasonBeyondTheListIsNamedByItsNumber(t *testing.T) {
	beyond := trace.Reason(len(trace.Reasons()) + 1)
	require.Equal(t, "Reason(255)", trace.Reason(255).String())
	require.Contains(t, beyond.String(), "Reason(")
	require.Empty(t, beyond.Code())
}

func TestAReasonIsWordsInJSON(t *testing.T) {
	b, err := json.Marshal(map[string]trace.Reason{"end": trace.NoRoute})
	require.NoError(t, err)
	require.JSONEq(t, `{"end": "no route"}`, string(b))
}
