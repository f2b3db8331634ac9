"""The bill of materials of an installation, in CycloneDX's JSON: ``make sbom``.

    python -m scripts.sbom [--python PYTHON] [--modules FOLDER] [FILE]

Made from what lies on the disk: the distributions of a Python environment, as cyclonedx-py reads
them; the npm packages that the checks use, which are shipped to nobody; the library that the pages
carry; every file of weights, with its hash. Checked against the schema before it is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from scripts.version import ROOT, version

MODELS = ROOT / "triton_models"
DETECTOR = ROOT / "stream_server" / "vision" / "weights"
VENDOR = ROOT / "scripts" / "vendor_uplot.sh"
_SCHEMA = SchemaVersion.V1_6


def python_environment(python: Path) -> Bom:
    """Every distribution that ``python`` can import, and the project at the root."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", str(python)]
    shape = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"]
    how = ["--sv", _SCHEMA.to_version(), "--of", "JSON", "--output-reproducible", "--no-validate"]
    done = subprocess.run([*command, *shape, *how], capture_output=True, check=True)
    found: Bom = Bom.from_json(json.loads(done.stdout))  # type: ignore[attr-defined]
    return found


def npm_packages(modules: Path) -> Iterator[Component]:
    """Those in a ``node_modules``: they check the extension and are no part of it."""
    found: dict[str, Component] = {}
    for manifest in sorted(modules.glob("**/package.json")):
        inside = manifest.parent.relative_to(modules).as_posix().split("node_modules/")[-1]
        told = json.loads(manifest.read_text(encoding="utf-8"))
        # Folders within a package may have a package.json that names nothing.
        if inside != told.get("name") or "version" not in told:
            continue
        scope, _, name = inside.rpartition("/")
        url = PackageURL("npm", scope or None, name, told["version"])
        found[str(url)] = Component(
            name=name,
            group=scope or None,
            version=told["version"],
            type=ComponentType.LIBRARY,
            scope=ComponentScope.EXCLUDED,
            bom_ref=str(url),
            purl=url,
            licenses=_licence(told.get("license")),
        )
    return iter(found.values())


def vendored() -> Component:
    """The library that the page of monitors carries a copy of."""
    name, number = "uplot", re.findall(r"^version=(\S+)$", VENDOR.read_text(), re.M)[0]
    url = PackageURL("npm", None, name, number)
    return Component(
        name=name,
        version=number,
        type=ComponentType.LIBRARY,
        bom_ref=f"vendored:{url}",
        purl=url,
        licenses=_licence("MIT"),
    )


def weights() -> Iterator[Component]:
    """Every file of weights, by its path."""
    research = DisjunctiveLicense(name="Research only, see triton_models/LICENSE")
    for folder, licence in ((MODELS, research), (DETECTOR, DisjunctiveLicense(id="MIT"))):
        for file in sorted(folder.rglob("*.onnx")):
            path = file.relative_to(ROOT).as_posix()
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            yield Component(
                name=path,
                version=version(),
                type=ComponentType.MACHINE_LEARNING_MODEL,
                bom_ref=f"model:{path}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
                licenses=[licence],
            )


def bill(python: Path, modules: Path) -> str:
    """All of it as JSON. Raises ``ValueError`` where it does not keep to the schema."""
    bom = python_environment(python)
    root = bom.metadata.component
    assert root is not None, "cyclonedx-py makes one of pyproject.toml"
    shipped = [vendored(), *weights()]
    for component in [*shipped, *npm_packages(modules)]:
        bom.components.add(component)
    bom.register_dependency(root, shipped)
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    wrong = complaint(text)
    if wrong:
        raise ValueError(f"the bill of materials does not keep to CycloneDX's schema: {wrong}")
    return text


def complaint(text: str) -> str:
    """What is wrong with a bill of materials by CycloneDX's own schema, or nothing."""
    found = JsonStrictValidator(_SCHEMA).validate_str(text)
    return "" if found is None else str(found)


def _licence(told: Any) -> list[LicenseExpression | DisjunctiveLicense]:
    """As npm has it: an SPDX expression, or words."""
    if not isinstance(told, str):
        return []
    if re.fullmatch(r"[\w.-]+", told):
        return [DisjunctiveLicense(id=told)]
    return [LicenseExpression(told)]


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    parser.add_argument("--modules", type=Path, default=ROOT / "node_modules")
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "dist" / f"fakelight-{version()}.cdx.json"
    )
    options = parser.parse_args()
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(bill(options.python, options.modules), encoding="utf-8")
    print(options.file)


if __name__ == "__main__":
    main()
