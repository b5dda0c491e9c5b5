package intent_test

import (
	"fmt"

	"github.com/vpcsim/vpcsim/intent"
)

func ExampleParse() {
	f, _ := intent.Parse("intents.txt", "web->db   tcp/5432 reachable # the only way in\ninternet -> db any blocked\n")
	fmt.Print(f)
	_, err := intent.Parse("intents.txt", "web -> db reachabel")
	fmt.Println(err)
	// Output:
	// web -> db tcp/5432 reachable  # the only way in
	// internet -> db any blocked
	// intents.txt:1:11: expected traffic such as tcp/443, icmp or any; or reachable, blocked or via, found "reachabel"
}
