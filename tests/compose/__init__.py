"""The stack of docker-compose.yml, really run: built, filled, hurt, brought up to date, copied and taken down."""
