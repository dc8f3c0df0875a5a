"""`python -m services.routing`: read the settings, serve the app."""

from services.routing.app import build
from services.routing.settings import Settings
from shared.kit.serve import serve

if __name__ == "__main__":
    settings = Settings()
    serve(build(settings), settings)
