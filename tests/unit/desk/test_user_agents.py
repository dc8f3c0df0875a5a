"""What a User-Agent names, in words that the catalogue has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.user_agents import BROWSERS, SYSTEMS, Device, device_of
from shared.messages.catalogue import text

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0 Safari/537.36"
ANDROID = f"Mozilla/5.0 (Linux; Android 15; V2) {WEBKIT} Chrome/130.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (WINDOWS, Device("chrome", "windows")),
        (f"{WINDOWS} Edg/142.0", Device("edge", "windows")),
        (f"{IPHONE} Version/19.0 Mobile/15E148 Safari/604.1", Device("safari", "iphone")),
        (f"{ANDROID} MicroMessenger/8.0", Device("wechat", "android")),
        (f"{ANDROID} wxwork/4.1 MicroMessenger/7.0", Device("wecom", "android")),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0", Device("firefox", "linux")),
        ("curl/8.14", Device("other", "other")),
        ("", Device("other", "other")),
    ],
)
def test_a_browser_and_its_system_are_named(agent: str, device: Device):
    assert device_of(agent) == device


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_name_has_its_words(lang: str):
    for browser in BROWSERS:
        assert text(f"desk.me.browser.{browser}", lang)
    for system in SYSTEMS:
        assert text(f"desk.me.system.{system}", lang)


@given(st.text(max_size=300))
def test_any_header_is_read(agent: str):
    device = device_of(agent)
    assert device.browser in BROWSERS
    assert device.system in SYSTEMS
