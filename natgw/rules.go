package natgw

import (
	"fmt"

	"github.com/vpcsim/vpcsim/vpc"
)

func refuse(code, format string, args ...any) error {
	return &vpc.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
