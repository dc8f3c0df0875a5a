"""Makes the key that the desk signs its tokens with: whoever has it can speak for anybody."""

from joserfc.jwk import OKPKey

from deploy.common.folder import Folder, write_private


def ensure(folder: Folder) -> None:
    """Make an Ed25519 key (PKCS #8, PEM) in the folder, for its owner alone, where there is none."""
    if not folder.desk_key.exists():
        key = OKPKey.generate_key("Ed25519", private=True)
        write_private(folder.desk_key, key.as_pem(private=True).decode())
