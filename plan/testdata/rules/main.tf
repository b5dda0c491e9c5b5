# Security groups whose rules are resources of their own. The plan takes ssh away and
# moves the web port from 80 to 443; it puts a subnet into a VPC of another configuration.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "us-east-1a"
}

resource "aws_security_group" "client" {
  name   = "client"
  vpc_id = aws_vpc.main.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "server" {
  name   = "server"
  vpc_id = aws_vpc.main.id
}

resource "aws_instance" "client" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.main.id
  private_ip             = "10.0.0.10"
  vpc_security_group_ids = [aws_security_group.client.id]
}

resource "aws_instance" "server" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.main.id
  private_ip             = "10.0.0.20"
  vpc_security_group_ids = [aws_security_group.server.id]
}

resource "aws_security_group_rule" "icmp" {
  type              = "ingress"
  security_group_id = aws_security_group.server.id
  protocol          = "icmp"
  from_port         = -1
  to_port           = -1
  cidr_blocks       = ["10.0.0.0/16"]
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = aws_security_group.server.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "10.0.0.0/16"
}

# A VPC that another configuration manages: what its tables and groups say is not here.

data "aws_vpc" "shared" {
  id = "vpc-0123456789abcdef0"
}

resource "aws_subnet" "shared" {
  count             = 2
  vpc_id            = data.aws_vpc.shared.id
  cidr_block        = "10.9.${count.index}.0/24"
  availability_zone = "us-east-1a"
}

resource "aws_security_group" "open" {
  name   = "open"
  vpc_id = data.aws_vpc.shared.id

  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_instance" "shared" {
  count                  = 2
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.shared[count.index].id
  private_ip             = "10.9.${count.index}.10"
  vpc_security_group_ids = [aws_security_group.open.id]
}
