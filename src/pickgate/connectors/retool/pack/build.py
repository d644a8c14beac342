"""Build the pack: the files of the app, and the ZIP that Retool takes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Literal

from pickgate.connectors.retool.pack.elements import Element, element, render
from pickgate.connectors.retool.pack.ids import app_uuid
from pickgate.connectors.retool.pack.parts import Place, Screen, text
from pickgate.connectors.retool.pack.queries import Binding, QueryMaker
from pickgate.connectors.retool.pack.screens_books import money_screen, stock_screen
from pickgate.connectors.retool.pack.screens_work import exceptions_screen, order_screen, waiting_screen

FOLDER = "Pickgate"
TOOLSCRIPT_VERSION = "1.0.0"
APP_VERSION = "43.0.9"
# The newest release among the multi-page exports whose shapes are followed here.
RETOOL_VERSION = "3.201.0"
_DAY_ONE = (2020, 1, 1, 0, 0, 0)  # the same bytes for the same app

Layout = Literal["folder", "root"]


def build_app(document: Mapping[str, Any], binding: Binding) -> dict[str, str]:
    """
    Build the app's files: text by path.

    Args:
        document: Our OpenAPI 3.1 document; every query of the app is one of its operations.

    Raises UnknownToTheApi when a screen needs something that the document does not have.
    """
    make = QueryMaker(document, binding)
    screens = (
        exceptions_screen(make),
        order_screen(make),
        waiting_screen(make),
        stock_screen(make),
        money_screen(make),
    )
    files = {f"src/{screen.id}.rsx": render(screen.render(order)) for order, screen in enumerate(screens)}
    pages = [element("Include", src=f"./src/{screen.id}.rsx") for screen in screens]
    health = make.read("showHealth", "get_health")
    files["main.rsx"] = render(
        element("App", "", element("Include", src="./functions.rsx"), element("Include", src="./header.rsx"), *pages)
    )
    files["functions.rsx"] = render(element("GlobalFunctions", "", health))
    files["header.rsx"] = render(_header())
    files["metadata.json"] = _json(_metadata(screens[0].id))
    files[".positions.json"] = _json(_positions(screens))
    return dict(sorted(files.items()))


def render_zip(files: Mapping[str, str], *, layout: Layout = "folder") -> bytes:
    """Pack the files; equal files give equal bytes. `layout`: in a folder of the app's name, or at the root."""
    prefix = f"{FOLDER}/" if layout == "folder" else ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(prefix + path, _DAY_ONE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content.encode())
    return packed.getvalue()


def read_zip(packed: bytes) -> dict[str, str]:
    """Return the files of a pack, without its folder. Raises ValueError when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            files = {name: archive.read(name).decode() for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not a ZIP of an app: {error}") from error
    roots = {name.partition("/")[0] for name in files}
    if len(roots) == 1 and "main.rsx" not in files:
        files = {name.partition("/")[2]: content for name, content in files.items()}
    return dict(sorted(files.items()))


def _header() -> Element:
    pages = element(
        "Navigation",
        "pages",
        element(
            "Event",
            event="click",
            method="openPage",
            params={"map": {"pageName": "{{ item.id }}"}},
            pluginId="",
            type="util",
            waitMs="0",
            waitType="debounce",
        ),
        data="{{ retoolContext.pages }}",
        highlightByIndex="{{ retoolContext.currentPage === item.id }}",
        labels="{{ item.title || item.id }}",
    )
    state = text(
        "healthText",
        "{{ showHealth.data ? `${showHealth.data.open_exceptions} open, ${showHealth.data.overdue_exceptions} overdue"
        "${showHealth.data.inbox_pending ? `, ${showHealth.data.inbox_pending} webhooks waiting` : ''}` : "
        "'Pickgate does not answer' }}",
    )
    return element(
        "Frame",
        "$header",
        pages,
        state,
        enableFullBleed=None,
        isHiddenOnDesktop=False,
        isHiddenOnMobile=False,
        padding="8px 12px",
        sticky=True,
        type="header",
    )


def _metadata(root_screen: str) -> dict[str, Any]:
    return {
        "toolscriptVersion": TOOLSCRIPT_VERSION,
        "version": APP_VERSION,
        "pageUuid": app_uuid("app"),
        "appTemplate": {"rootScreen": root_screen, "version": RETOOL_VERSION, "experimentalDataTabEnabled": True},
    }


def _positions(screens: tuple[Screen, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "pages": {"subcontainer": "header"} | _place(Place(0, 0, 8, 0.8)),
        "healthText": {"subcontainer": "header"} | _place(Place(0, 8, 4, 0.8)),
    }
    for screen in screens:
        found |= {id: _place(place) for id, place in screen.places.items()}
    return dict(sorted(found.items()))


def _place(place: Place) -> dict[str, float]:
    """Zeros are left out, as exports do."""
    values = {"row": place.row, "col": place.col, "height": place.height, "width": place.width}
    return {name: value for name, value in values.items() if value}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
