variable "cidr" {}

variable "zones" {
  type = list(string)
}

locals {
  vpc_id = try(aws_vpc.this[0].id, "")
}

resource "aws_vpc" "this" {
  count                = 1
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  tags                 = { Name = "shop" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = local.vpc_id
}

resource "aws_subnet" "public" {
  count             = length(var.zones)
  vpc_id            = local.vpc_id
  cidr_block        = cidrsubnet(var.cidr, 8, count.index)
  availability_zone = element(var.zones, count.index)
}

resource "aws_subnet" "private" {
  for_each          = { for i, z in var.zones : z => i }
  vpc_id            = local.vpc_id
  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)
  availability_zone = each.key
}

resource "aws_route_table" "public" {
  vpc_id = local.vpc_id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route_table_association" "public" {
  count          = length(var.zones)
  subnet_id      = element(aws_subnet.public[*].id, count.index)
  route_table_id = aws_route_table.public.id
}

resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public[0].id
}

resource "aws_route_table" "private" {
  for_each = toset(var.zones)
  vpc_id   = local.vpc_id
}

# Only the first zone has a way out.
resource "aws_route" "out" {
  route_table_id         = aws_route_table.private[var.zones[0]].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_network_acl" "private" {
  vpc_id     = local.vpc_id
  subnet_ids = [for s in aws_subnet.private : s.id]
}

resource "aws_network_acl_rule" "private" {
  for_each       = { in = false, out = true }
  network_acl_id = aws_network_acl.private.id
  egress         = each.value
  rule_number    = 100
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
  from_port      = 0
  to_port        = 65535
}

output "vpc_id" {
  value = local.vpc_id
}

output "public_subnets" {
  value = aws_subnet.public[*].id
}

output "private_subnets" {
  value = { for z, s in aws_subnet.private : z => s.id }
}
