variable "name" {}
variable "subnet" {}
variable "vpc" {}
variable "host" {}

variable "groups" {
  type = list(string)
}

locals {
  group = aws_security_group.own.id
}

data "aws_availability_zones" "all" {}

resource "aws_security_group" "own" {
  name   = var.name
  vpc_id = var.vpc
}

resource "aws_security_group_rule" "own" {
  type              = "ingress"
  security_group_id = local.group
  protocol          = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_blocks       = ["10.0.0.0/8"]
}

resource "aws_network_interface" "own" {
  subnet_id       = var.subnet
  security_groups = concat(var.groups, [aws_security_group.own.id])
}

resource "aws_instance" "own" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.own.id
  }
}
