"""`python -m services.desk`: read the settings, serve the app."""

from services.desk.app import build
from services.desk.settings import Settings
from shared.service.serve import serve
from shared.service.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(build(settings), settings)
