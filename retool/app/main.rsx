<App>
  <Include src="./functions.rsx" />
  <Include src="./header.rsx" />
  <Include src="./src/exceptions.rsx" />
  <Include src="./src/order.rsx" />
  <Include src="./src/waiting.rsx" />
  <Include src="./src/stock.rsx" />
  <Include src="./src/money.rsx" />
</App>
