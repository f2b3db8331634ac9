"""Content credentials, signed with certificates that the test makes itself."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image as Pillow

from stream_server.scan.content_credentials import read_provenance
from tests.support.faces import backdrop
from tests.support.scan_media import every, without_faces, write_video


@pytest.fixture(scope="module")
def signer_info() -> Any:
    """An ES256 leaf under a root of our own, by the C2PA certificate profile."""
    now = datetime.datetime.now(datetime.UTC)

    def named(name: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fakelight tests"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )

    def begun(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
                critical=False,
            )
        )

    def usage(**allowed: bool) -> x509.KeyUsage:
        names = (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )  # fmt: skip
        return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})

    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = (
        begun("root", "root", root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        begun("leaf", "root", leaf_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    chain = (leaf.public_bytes(pem) + root.public_bytes(pem)).decode()
    key = leaf_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return chain, key


def sign(source: Path, target: Path, kind: str, signer_info: tuple[str, str]) -> Path:
    chain, key = signer_info
    manifest = {
        "claim_generator_info": [{"name": "A test camera", "version": "1.0"}],
        "title": "signed",
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                            "trainedAlgorithmicMedia",
                        }
                    ]
                },
            }
        ],
    }
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain.encode(), key.encode(), None)
    with (
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(manifest) as builder,
        source.open("rb") as before,
        target.open("w+b") as after,
    ):
        builder.sign(signer, kind, before, after)
    return target


@pytest.fixture(scope="module")
def signed_picture(tmp_path_factory: pytest.TempPathFactory, signer_info: Any) -> Any:
    folder = tmp_path_factory.mktemp("signed")
    Pillow.fromarray(backdrop()).save(folder / "plain.jpg")
    return sign(folder / "plain.jpg", folder / "signed.jpg", "image/jpeg", signer_info)


def test_absent(tmp_path: Path) -> None:
    path = tmp_path / "plain.jpg"
    Pillow.fromarray(backdrop()).save(path)
    found = read_provenance(path)
    assert found["status"] == "absent" and "says nothing either way" in found["detail"]


def test_valid(signed_picture: Any) -> None:
    found = read_provenance(signed_picture)
    assert found["status"] == "valid"
    assert found["issuer"] == "Fakelight tests"
    assert found["generator"] == "A test camera"
    assert found["says_generated"] is True
    assert "fit this file" in found["detail"] and "was not checked" in found["detail"]


def test_tampered(signed_picture: Any, tmp_path: Path) -> None:
    content = bytearray(signed_picture.read_bytes())
    content[-200] ^= 0xFF  # in the picture's own data, behind the credentials
    path = tmp_path / "tampered.jpg"
    path.write_bytes(content)
    found = read_provenance(path)
    assert found["status"] == "tampered" and "do not fit" in found["detail"]


def test_a_video_is_read_by_its_content_not_its_name(tmp_path: Path, signer_info: Any) -> None:
    plain = write_video(tmp_path / "plain.mp4", without_faces(), every(10, 1))
    signed = sign(plain, tmp_path / "signed.mp4", "video/mp4", signer_info)
    upload = signed.rename(tmp_path / "upload")
    assert read_provenance(upload)["status"] == "valid"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1a\x45\xdf\xa3" + bytes(100)])
def test_files_that_carry_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    assert read_provenance(path)["status"] == "absent"


def test_broken_credentials_never_raise(signed_picture: Any, tmp_path: Path) -> None:
    content = signed_picture.read_bytes()
    place = content.index(b"jumb")
    path = tmp_path / "broken.jpg"
    path.write_bytes(content[: place + 40] + bytes(64) + content[place + 104 :])
    assert read_provenance(path)["status"] in ("unreadable", "tampered", "absent")
