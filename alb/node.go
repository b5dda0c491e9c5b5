package alb

import (
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/vpc"
)

func compile(*vpc.Compiler, *balancer.LoadBalancer) {}
