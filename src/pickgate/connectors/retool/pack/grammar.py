"""What stands where in the exports that were looked at, as tables. The linter allows nothing else.

Narrow on purpose: the pack uses a small part of Toolscript, and a part that is not used is not known well enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

QUERIES = frozenset({"RESTQuery"})
SHOWN = frozenset({"Text", "TextInput", "Select", "Button", "Table", "Navigation", "Container", "Form"})
# Overlays: Retool fails the import when one of them is below a Frame.
OVERLAYS = frozenset({"ModalFrame", "DrawerFrame", "SplitPaneFrame", "SidebarFrame"})

CHILDREN: Mapping[str, frozenset[str]] = {
    "App": frozenset({"Include", "Frame"}) | OVERLAYS,
    "GlobalFunctions": QUERIES,
    "Screen": QUERIES | {"Frame", "Include"},
    "Frame": SHOWN,
    "RESTQuery": frozenset({"Event"}),
    "Text": frozenset(),
    "TextInput": frozenset({"Event"}),
    "Select": frozenset({"Option", "Event"}),
    "Button": frozenset({"Event"}),
    "Table": frozenset({"Column", "ToolbarButton", "Event"}),
    "Navigation": frozenset({"Option", "Event"}),
    "ToolbarButton": frozenset({"Event"}),
    "Container": frozenset({"Header", "View", "Footer"}),
    "Form": frozenset({"Header", "Body", "Footer", "Event"}),
    "View": SHOWN,
    "Header": SHOWN,
    "Body": SHOWN,
    "Footer": SHOWN,
    **dict.fromkeys(OVERLAYS, frozenset({"Header", "Body", "Footer"})),
    "Column": frozenset(),
    "Option": frozenset(),
    "Event": frozenset(),
    "Include": frozenset(),
}
# At least one of each must be there.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "Table": ("Column",),
    "Container": ("View",),
    "Form": ("Header", "Body", "Footer"),
    "Screen": ("Frame",),
}
ROOTS: Mapping[str, str] = {"main.rsx": "App", "functions.rsx": "GlobalFunctions", "header.rsx": "Frame"}
SCREEN_ROOT = "Screen"

_COMPONENT = re.compile(r"[A-Za-z]\w*")
_SHORT = re.compile(r"[0-9a-f]{5}")
IDS: Mapping[str, re.Pattern[str]] = {
    "Frame": re.compile(r"\$(?:main\d*|header)"),
    "Column": _SHORT,
    "Option": _SHORT,
    "View": _SHORT,
    "ToolbarButton": re.compile(r"[0-9a-f]{2}"),
    **dict.fromkeys(SHOWN | OVERLAYS | QUERIES | {"Screen"}, _COMPONENT),
}
# Exported events have no ids, and these never do.
WITHOUT_ID = frozenset({"App", "GlobalFunctions", "Include", "Event", "Header", "Body", "Footer"})

# Written as true or false between braces, never as a text.
SWITCHES = frozenset({
    "dynamicColumnsEnabled", "editable", "isHiddenOnDesktop", "isHiddenOnMobile", "isMultiplayerEdited",
    "requireConfirmation", "runWhenModelUpdates", "runWhenPageLoads", "serverPaginated", "showBorder", "showClear",
    "showFooter", "showHeader", "showSelectionIndicator", "showSuccessToaster",
})  # fmt: skip
EVENTS: Mapping[str, frozenset[str]] = {
    "datasource": frozenset({"trigger"}),
    "widget": frozenset({"exportData", "refresh", "clearSelection", "setHidden", "show", "hide"}),
    "util": frozenset({"openPage"}),
}
GLOBALS = frozenset({
    "Array", "Date", "Intl", "JSON", "Math", "Number", "Object", "String", "current_user", "encodeURIComponent",
    "moment", "retoolContext", "urlparams",
})  # fmt: skip
# What only some elements know.
LOCALS: Mapping[str, frozenset[str]] = {
    "Column": frozenset({"item", "currentSourceRow"}),
    "Navigation": frozenset({"item", "i"}),
    "Event": frozenset({"item", "self"}),
}
