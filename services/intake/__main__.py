"""`python -m services.intake`: read the settings, serve the app."""

from services.intake.app import build
from services.intake.settings import Settings
from shared.kit.serve import serve

if __name__ == "__main__":
    settings = Settings()
    serve(build(settings), settings)
