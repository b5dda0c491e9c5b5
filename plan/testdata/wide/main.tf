# A company: three VPCs of two regions, joined by peering and by a transit gateway, a
# site beyond a VPN connection, load balancers, endpoints, a database.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

resource "aws_vpc" "app" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "data" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_vpc" "west" {
  provider   = aws.west
  cidr_block = "10.2.0.0/16"
}

resource "aws_subnet" "app" {
  for_each          = { a = "10.0.0.0/24", b = "10.0.1.0/24" }
  vpc_id            = aws_vpc.app.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_subnet" "data" {
  for_each          = { a = "10.1.0.0/24", b = "10.1.1.0/24" }
  vpc_id            = aws_vpc.data.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_subnet" "west" {
  provider          = aws.west
  vpc_id            = aws_vpc.west.id
  cidr_block        = "10.2.0.0/24"
  availability_zone = "us-west-2a"
}

# The default table, network ACL and security group are taken over.

resource "aws_default_route_table" "app" {
  default_route_table_id = aws_vpc.app.default_route_table_id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.app.id
  }

  route {
    cidr_block                = aws_vpc.west.cidr_block
    vpc_peering_connection_id = aws_vpc_peering_connection.west.id
  }

  route {
    cidr_block         = aws_vpc.data.cidr_block
    transit_gateway_id = aws_ec2_transit_gateway.hub.id
  }
}

resource "aws_default_security_group" "app" {
  vpc_id = aws_vpc.app.id

  ingress {
    protocol  = "-1"
    from_port = 0
    to_port   = 0
    self      = true
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_default_network_acl" "app" {
  default_network_acl_id = aws_vpc.app.default_network_acl_id

  ingress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }

  egress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
}

resource "aws_internet_gateway" "app" {}

resource "aws_internet_gateway_attachment" "app" {
  internet_gateway_id = aws_internet_gateway.app.id
  vpc_id              = aws_vpc.app.id
}

resource "aws_vpc_peering_connection" "west" {
  vpc_id      = aws_vpc.app.id
  peer_vpc_id = aws_vpc.west.id
  peer_region = "us-west-2"
}

resource "aws_vpc_peering_connection_accepter" "west" {
  provider                  = aws.west
  vpc_peering_connection_id = aws_vpc_peering_connection.west.id
  auto_accept               = true
}

resource "aws_route_table" "west" {
  provider = aws.west
  vpc_id   = aws_vpc.west.id
}

resource "aws_main_route_table_association" "west" {
  provider       = aws.west
  vpc_id         = aws_vpc.west.id
  route_table_id = aws_route_table.west.id
}

resource "aws_route" "west_app" {
  provider                  = aws.west
  route_table_id            = aws_route_table.west.id
  destination_cidr_block    = "10.0.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection.west.id
}

# A transit gateway with its default table for the application and one of its own for data.

resource "aws_ec2_transit_gateway" "hub" {
  description = "hub"
}

resource "aws_ec2_transit_gateway_vpc_attachment" "app" {
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
  vpc_id             = aws_vpc.app.id
  subnet_ids         = [for s in aws_subnet.app : s.id]
}

resource "aws_ec2_transit_gateway_vpc_attachment" "data" {
  transit_gateway_id                              = aws_ec2_transit_gateway.hub.id
  vpc_id                                          = aws_vpc.data.id
  subnet_ids                                      = values(aws_subnet.data)[*].id
  transit_gateway_default_route_table_association = false
}

resource "aws_ec2_transit_gateway_route_table" "data" {
  transit_gateway_id = aws_ec2_transit_gateway.hub.id
}

resource "aws_ec2_transit_gateway_route_table_association" "data" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.data.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.data.id
}

resource "aws_ec2_transit_gateway_route" "data_app" {
  destination_cidr_block         = "10.0.0.0/24"
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.app.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.data.id
}

resource "aws_route" "data_app" {
  route_table_id         = aws_vpc.data.main_route_table_id
  destination_cidr_block = "10.0.0.0/16"
  transit_gateway_id     = aws_ec2_transit_gateway.hub.id
}

# A site beyond a VPN connection of the data VPC.

resource "aws_vpn_gateway" "data" {
  vpc_id = aws_vpc.data.id
}

resource "aws_customer_gateway" "office" {
  bgp_asn    = "65000"
  ip_address = "198.51.100.7"
  type       = "ipsec.1"
}

resource "aws_vpn_connection" "office" {
  customer_gateway_id = aws_customer_gateway.office.id
  vpn_gateway_id      = aws_vpn_gateway.data.id
  type                = "ipsec.1"
  static_routes_only  = true
}

resource "aws_vpn_connection_route" "office" {
  vpn_connection_id      = aws_vpn_connection.office.id
  destination_cidr_block = "192.168.0.0/16"
}

resource "aws_vpn_gateway_route_propagation" "data" {
  vpn_gateway_id = aws_vpn_gateway.data.id
  route_table_id = aws_vpc.data.main_route_table_id
}

# Endpoints, a prefix list.

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.data.id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_vpc.data.main_route_table_id]
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id             = aws_vpc.app.id
  service_name       = "com.amazonaws.us-east-1.sqs"
  vpc_endpoint_type  = "Interface"
  subnet_ids         = [aws_subnet.app["a"].id]
  security_group_ids = [aws_security_group.endpoint.id]
}

resource "aws_ec2_managed_prefix_list" "offices" {
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 5

  entry {
    cidr = "192.168.0.0/16"
  }
}

resource "aws_ec2_managed_prefix_list_entry" "home" {
  prefix_list_id = aws_ec2_managed_prefix_list.offices.id
  cidr           = "203.0.113.128/25"
}

resource "aws_security_group" "endpoint" {
  name   = "endpoint"
  vpc_id = aws_vpc.app.id

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = [aws_vpc.app.cidr_block]
  }
}

resource "aws_security_group" "server" {
  name   = "server"
  vpc_id = aws_vpc.app.id

  ingress {
    from_port       = 22
    to_port         = 22
    protocol        = "tcp"
    prefix_list_ids = [aws_ec2_managed_prefix_list.offices.id]
  }

  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_instance" "server" {
  for_each               = aws_subnet.app
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = each.value.id
  private_ip             = cidrhost(each.value.cidr_block, 10)
  vpc_security_group_ids = [aws_security_group.server.id]
}

resource "aws_instance" "west" {
  provider      = aws.west
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.west.id
  private_ip    = "10.2.0.10"
}

resource "aws_instance" "data" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.data["a"].id
  private_ip    = "10.1.0.10"
}

resource "aws_eip" "server" {
  domain = "vpc"
}

resource "aws_eip_association" "server" {
  allocation_id = aws_eip.server.id
  instance_id   = aws_instance.server["a"].id
}

# Load balancers, and a database.

resource "aws_lb" "net" {
  name               = "net"
  internal           = true
  load_balancer_type = "network"
  subnets            = [for s in aws_subnet.app : s.id]
}

resource "aws_lb_target_group" "server" {
  name     = "server"
  port     = 80
  protocol = "TCP"
  vpc_id   = aws_vpc.app.id
}

resource "aws_lb_target_group_attachment" "server" {
  for_each         = aws_instance.server
  target_group_arn = aws_lb_target_group.server.arn
  target_id        = each.value.id
}

resource "aws_lb_listener" "net" {
  load_balancer_arn = aws_lb.net.arn
  port              = 8080
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.server.arn
  }
}

resource "aws_lb" "web" {
  name            = "web"
  security_groups = [aws_security_group.web.id]

  subnet_mapping {
    subnet_id = aws_subnet.app["a"].id
  }
}

resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.app.id

  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb_target_group" "web" {
  name        = "web"
  port        = 80
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.app.id
}

resource "aws_lb_target_group_attachment" "web" {
  target_group_arn = aws_lb_target_group.web.arn
  target_id        = aws_instance.server["a"].private_ip
}

resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_db_subnet_group" "data" {
  name       = "data"
  subnet_ids = values(aws_subnet.data)[*].id
}

resource "aws_db_instance" "orders" {
  identifier             = "orders"
  engine                 = "postgres"
  instance_class         = "db.t3.micro"
  db_subnet_group_name   = aws_db_subnet_group.data.name
  vpc_security_group_ids = [aws_security_group.orders.id]
  availability_zone      = "us-east-1b"
}

resource "aws_security_group" "orders" {
  name   = "orders"
  vpc_id = aws_vpc.data.id
}

resource "aws_security_group_rule" "orders" {
  type              = "ingress"
  security_group_id = aws_security_group.orders.id
  protocol          = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_blocks       = ["10.0.0.0/16", "10.1.0.0/16"]
}
