// Package elbv2 is the shapes of Elastic Load Balancing's API version 2015-12-01, as
// far as the simulator answers or reads them: Application, Network and Gateway Load
// Balancers, their listeners, rules, target groups and the health of targets, as the
// aws CLI prints them. It is written from the API reference; a field that is nil is
// absent. Unknown fields of what is read are no error.
package elbv2
