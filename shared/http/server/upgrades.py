"""Ignores an offered protocol upgrade (RFC 9110, 7.8), so that the request keeps its body."""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MALFORMED: Final = "Invalid HTTP request received."
OFFER_HEADERS: Final = frozenset((b"upgrade", b"http2-settings"))


class UpgradeIgnoringProtocol(HttpToolsProtocol):
    """uvicorn's protocol for a server that offers no upgrade and therefore ignores `Upgrade` (RFC 9110, 7.8).

    The parser ends such a request after its headers and counts the body as the other protocol's. Here the request
    line and headers are parsed a second time without the offer; the body then belongs to the request. `curl --http2`
    and Java's HttpClient send `Upgrade: h2c` with every first request over plain HTTP.
    """

    _head_without_offer = b""

    def data_received(self, data: bytes) -> None:
        """Parse a chunk. What is no HTTP/1.1 is answered 400, and the connection ends."""
        self._unset_keepalive_if_required()
        try:
            self._parse(memoryview(data))
        except HttpParserError:
            self.send_400_response(MALFORMED)

    def _parse(self, rest: memoryview) -> None:
        # Each round takes the head of a request off what is left.
        while rest:
            try:
                self.parser.feed_data(rest)
                return
            except HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                head, self._head_without_offer = self._head_without_offer, b""
                self.parser.feed_data(head)

    def on_url(self, url: bytes) -> None:
        """Add to the request's target. Raises HttpParserError for CONNECT: this server is no tunnel."""
        if self.parser.get_method() == b"CONNECT":
            raise HttpParserError
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Begin to answer the request, unless its headers have to be parsed again."""
        if self.parser.should_upgrade():
            self._head_without_offer = self._written_head()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request's body."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _written_head(self) -> bytes:
        # The parser refuses CR and LF within a value, so that each header stays one line.
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                value = b", ".join(o for o in options if o.lower() not in OFFER_HEADERS)
                if not value:
                    continue
            if name not in OFFER_HEADERS:
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
