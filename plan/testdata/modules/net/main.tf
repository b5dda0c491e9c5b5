variable "name" {}
variable "cidr" {}

locals {
  vpc  = try(aws_vpc.this[0].id, "")
  eips = aws_eip.nat[*].id
  zones = {
    a = 0
    b = 1
  }
}

resource "aws_vpc" "this" {
  count      = 1
  cidr_block = var.cidr
  tags       = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each          = local.zones
  vpc_id            = local.vpc
  cidr_block        = cidrsubnet(var.cidr, 8, each.value)
  availability_zone = "us-east-1${each.key}"
}

resource "aws_subnet" "private" {
  count             = 2
  vpc_id            = local.vpc
  cidr_block        = cidrsubnet(var.cidr, 8, 10 + count.index)
  availability_zone = element(["us-east-1a", "us-east-1b"], count.index)
}

resource "aws_internet_gateway" "this" {
  vpc_id = local.vpc
}

resource "aws_eip" "nat" {
  count  = 2
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  count         = 2
  allocation_id = element(local.eips, count.index)
  subnet_id     = values(aws_subnet.public)[count.index].id
}

resource "aws_route_table" "public" {
  vpc_id = local.vpc
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table" "private" {
  count  = 2
  vpc_id = local.vpc
}

resource "aws_route" "nat" {
  count                  = 2
  route_table_id         = element(aws_route_table.private[*].id, count.index)
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = element(aws_nat_gateway.this[*].id, count.index)
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count          = 2
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_security_group" "common" {
  name   = "${var.name}-common"
  vpc_id = local.vpc

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

output "vpc" {
  value = local.vpc
}

output "cidr" {
  value = var.cidr
}

output "group" {
  value = aws_security_group.common.id
}

output "private" {
  value = aws_subnet.private[*].id
}

output "private_tables" {
  value = aws_route_table.private[*].id
}
