package plan

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTimeGrowsWithThePlan: where each resource looks through all others, this takes ten
// seconds, and else a tenth of one.
func TestTimeGrowsWithThePlan(t *testing.T) {
	type object = map[string]any
	var planned, changes, config []object
	add := func(kind, name, attr, of string) {
		at := kind + "." + name
		planned = append(planned, object{"address": at, "values": object{"name": name, "port": 80, "protocol": "TCP", "target_type": "ip", "target_id": "10.0.0.9"}})
		changes = append(changes, object{"address": at, "change": object{"actions": []string{"create"}, "after_unknown": object{"id": true, "arn": true, attr: true}}})
		config = append(config, object{"address": at, "expressions": object{attr: object{"references": []string{of}}}})
	}
	for i := range 4000 {
		name := fmt.Sprint("t", i)
		add("aws_lb_target_group", name, "vpc_id", "aws_vpc.v.id")
		add("aws_lb_target_group_attachment", name, "target_group_arn", "aws_lb_target_group."+name+".arn")
	}
	text, err := json.Marshal(object{
		"format_version": "1.2", "planned_values": object{"root_module": object{"resources": planned}}, "resource_changes": changes,
		"configuration": object{"root_module": object{"resources": config}},
	})
	require.NoError(t, err)
	p, err := Read(text)
	require.NoError(t, err)
	start := time.Now()
	require.NotEmpty(t, p.After().Regions)
	require.Less(t, time.Since(start), 5*time.Second)
}
