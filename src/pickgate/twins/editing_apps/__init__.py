"""Apps that change orders after checkout. Each acts on a `ShopifyTwin` through its plain methods, under its own app id.

What an app does by itself happens in `tick(now)`; `next_due_at()` says when it next wants to be called. What a customer
or a clerk does in an app is a method. How Shopify reacts is not here: that is the shop's part.
"""

from pickgate.twins.editing_apps.merging import OrderMerger
from pickgate.twins.editing_apps.order_editing import EditingClosed, OrderEditing
from pickgate.twins.editing_apps.recreating import RecreatingApp
from pickgate.twins.editing_apps.timed import TimedApp, specs_of

__all__ = ["EditingClosed", "OrderEditing", "OrderMerger", "RecreatingApp", "TimedApp", "specs_of"]
