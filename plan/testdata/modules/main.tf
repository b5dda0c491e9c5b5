# References of every sort: through modules in modules, counts and maps, each.value,
# element, values, variables as keys, local values.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "names" {
  default = ["blue", "green"]
}

variable "tiers" {
  default = {
    web = { net = "blue", host = 10, index = 0 }
    app = { net = "green", host = 20, index = 1 }
  }
}

module "net" {
  source   = "./net"
  for_each = toset(var.names)
  name     = each.key
  cidr     = "10.${index(var.names, each.key)}.0.0/16"
}

module "tier" {
  source   = "./tier"
  for_each = var.tiers
  name     = each.key
  subnet   = module.net[each.value.net].private[each.value.index]
  vpc      = module.net[each.value.net].vpc
  host     = each.value.host
  groups   = [module.net[each.value.net].group]
}

resource "aws_vpc_peering_connection" "both" {
  vpc_id      = module.net["blue"].vpc
  peer_vpc_id = module.net["green"].vpc
  auto_accept = true
}

resource "aws_route" "peer" {
  for_each                  = { blue = "green", green = "blue" }
  route_table_id            = module.net[each.key].private_tables[0]
  destination_cidr_block    = module.net[each.value].cidr
  vpc_peering_connection_id = aws_vpc_peering_connection.both.id
}
