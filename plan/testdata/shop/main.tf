# A shop: a web tier behind an internet gateway, an application tier behind a NAT
# gateway, a database tier without a way out. Everything is new.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "region" {
  default = "eu-west-1"
}

provider "aws" {
  region = var.region
}

module "net" {
  source = "./net"
  cidr   = "10.20.0.0/16"
  zones  = ["eu-west-1a", "eu-west-1b"]
}

locals {
  web_port = 443
}

resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = module.net.vpc_id

  ingress {
    from_port   = local.web_port
    to_port     = local.web_port
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

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = module.net.vpc_id

  ingress {
    from_port       = 8080
    to_port         = 8080
    protocol        = "tcp"
    security_groups = [aws_security_group.web.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# No egress is stated: a database begins nothing.
resource "aws_security_group" "db" {
  name   = "db"
  vpc_id = module.net.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "db" {
  security_group_id            = aws_security_group.db.id
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_instance" "web" {
  count                       = 2
  ami                         = "ami-0123456789abcdef0"
  instance_type               = "t3.micro"
  subnet_id                   = module.net.public_subnets[count.index]
  private_ip                  = cidrhost("10.20.${count.index}.0/24", 10)
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.web.id]
}

resource "aws_instance" "app" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = module.net.private_subnets["eu-west-1a"]
  private_ip             = "10.20.10.10"
  vpc_security_group_ids = [aws_security_group.app.id]
  tags                   = { Name = "app" }
}

resource "aws_network_interface" "db" {
  subnet_id       = module.net.private_subnets["eu-west-1b"]
  private_ips     = ["10.20.11.10"]
  security_groups = [aws_security_group.db.id]
}

resource "aws_instance" "db" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.db.id
  }
}
