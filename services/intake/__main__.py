"""`python -m services.intake`: read the settings, serve the app."""

from services.intake.app import build
from services.intake.settings import Settings
from shared.kit.serve import serve
from shared.kit.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(build(settings), settings)
