<Screen
  id="money"
  _customShortcuts={[]}
  _hashParams={[]}
  _order={4}
  _searchParams={[]}
  browserTitle="Pickgate: Money"
  title="Money"
  urlSlug="money"
  uuid="56834e5e-19f3-5537-a92e-9d65bcaf9e9f"
>
  <RESTQuery
    id="moneyReport"
    isMultiplayerEdited={false}
    query="api/v1/money/report?month={{ encodeURIComponent(moneyMonth.value) }}&sheet={{ encodeURIComponent(moneySheet.value || 'summary') }}&limit={{ encodeURIComponent(Math.min(moneyTable.pagination?.pageSize || 25, 200)) }}&offset={{ encodeURIComponent(moneyTable.pagination?.offset || 0) }}"
    queryDisabled={'{{ !/^\\d{4}-\\d{2}$/.test(moneyMonth.value) }}'}
    queryTimeout="30000"
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenPageLoads={true}
    showSuccessToaster={false}
  />
  <RESTQuery
    id="listMoneyExceptions"
    isMultiplayerEdited={false}
    query="api/v1/money/exceptions?limit={{ encodeURIComponent(Math.min(moneyExceptionsTable.pagination?.pageSize || 25, 200)) }}&offset={{ encodeURIComponent(moneyExceptionsTable.pagination?.offset || 0) }}"
    queryTimeout="30000"
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenPageLoads={true}
    showSuccessToaster={false}
  />
  <Frame
    id="$main5"
    enableFullBleed={false}
    isHiddenOnDesktop={false}
    isHiddenOnMobile={false}
    padding="8px 12px"
    type="main"
  >
    <Text
      id="moneyTitle"
      marginType="normal"
      value="### Money"
      verticalAlign="center"
    />
    <TextInput
      id="moneyMonth"
      label="Month"
      labelPosition="top"
      marginType="normal"
      placeholder="2026-11"
      showClear={true}
      value="{{ moment().format('YYYY-MM') }}"
    />
    <Select
      id="moneySheet"
      emptyMessage="No options"
      itemMode="static"
      label="Sheet"
      labelPosition="top"
      marginType="normal"
      overlayMaxHeight={375}
      placeholder="Any"
      showClear={true}
      showSelectionIndicator={true}
      value="summary"
    >
      <Option id="f75d3" label="Summary" value="summary" />
      <Option id="f641a" label="Movements" value="movements" />
      <Option id="571ad" label="Transactions" value="transactions" />
      <Option id="e34f5" label="Orders" value="orders" />
      <Option id="acedb" label="Days" value="days" />
      <Option
        id="63860"
        label="Despatch without revenue"
        value="despatch_without_revenue"
      />
      <Option
        id="06fad"
        label="Revenue without despatch"
        value="revenue_without_despatch"
      />
      <Option id="ea30e" label="Unexplained" value="unexplained" />
      <Option id="b3329" label="Corrections" value="corrections" />
    </Select>
    <Text
      id="moneyState"
      marginType="normal"
      value="{{ moneyReport.data?.month ? `**${moneyReport.data.title}**, ${moneyReport.data.state}, ${moneyReport.data.ties ? 'ties' : 'does not tie'}` : '' }}"
      verticalAlign="center"
    />
    <Table
      id="moneyTable"
      cellSelection="none"
      data="{{ (moneyReport.data?.rows || []).map((row, place) => ({'No.': place + 1, ...Object.fromEntries(row.map((cell, number) => [moneyReport.data.columns[number], cell && cell.currency ? (format => format.format(cell.minor / 10 ** format.resolvedOptions().maximumFractionDigits))(new Intl.NumberFormat('en', {style: 'currency', currency: cell.currency})) : cell]))})) }}"
      defaultSelectedRow={{ mode: "index", indexType: "display", index: 0 }}
      dynamicColumnProperties={{ formatByIndex: "auto" }}
      dynamicColumnsEnabled={true}
      emptyMessage="No rows"
      limitOffsetRowCount="{{ moneyReport.data?.total || 0 }}"
      overflowType="pagination"
      primaryKeyColumnId="617aa"
      rowHeight="small"
      rowSelection="single"
      serverPaginated={true}
      showBorder={true}
      showFooter={true}
      showHeader={true}
      templatePageSize="25"
      toolbarPosition="bottom"
    >
      <Column
        id="617aa"
        alignment="right"
        editable={false}
        format="decimal"
        groupAggregationMode="none"
        key="No."
        label="No."
        placeholder=""
        position="center"
        size={60}
        summaryAggregationMode="none"
      />
      <ToolbarButton
        id="d8"
        icon="bold/interface-download-button-2"
        label="Download"
        type="custom"
      >
        <Event
          event="clickToolbar"
          method="exportData"
          pluginId="moneyTable"
          type="widget"
          waitMs="0"
          waitType="debounce"
        />
      </ToolbarButton>
    </Table>
    <Text
      id="moneyExceptionsTitle"
      marginType="normal"
      value="#### Not explained"
      verticalAlign="center"
    />
    <Table
      id="moneyExceptionsTable"
      cellSelection="none"
      data="{{ listMoneyExceptions.data?.items || [] }}"
      defaultSelectedRow={{ mode: "index", indexType: "display", index: 0 }}
      emptyMessage="Every penny is explained"
      limitOffsetRowCount="{{ listMoneyExceptions.data?.total || 0 }}"
      overflowType="pagination"
      primaryKeyColumnId="fc7da"
      rowHeight="small"
      rowSelection="single"
      serverPaginated={true}
      showBorder={true}
      showFooter={true}
      showHeader={true}
      templatePageSize="25"
      toolbarPosition="bottom"
    >
      <Column
        id="fc7da"
        alignment="right"
        editable={false}
        format="decimal"
        groupAggregationMode="none"
        key="id"
        label="No."
        placeholder=""
        position="center"
        size={60}
        summaryAggregationMode="none"
      />
      <Column
        id="4935c"
        alignment="left"
        editable={false}
        format="tag"
        formatOptions={{ automaticColors: true }}
        groupAggregationMode="none"
        key="code"
        label="Code"
        placeholder=""
        position="center"
        size={190}
        summaryAggregationMode="none"
      />
      <Column
        id="ca95b"
        alignment="left"
        editable={false}
        format="string"
        groupAggregationMode="none"
        key="order_name"
        label="Order"
        placeholder=""
        position="center"
        size={110}
        summaryAggregationMode="none"
      />
      <Column
        id="9fdc2"
        alignment="left"
        editable={false}
        format="tag"
        formatOptions={{ automaticColors: true }}
        groupAggregationMode="none"
        key="shop"
        label="Shop"
        placeholder=""
        position="center"
        size={70}
        summaryAggregationMode="none"
      />
      <Column
        id="68668"
        alignment="left"
        editable={false}
        format="datetime"
        groupAggregationMode="none"
        key="due_at"
        label="Due"
        placeholder=""
        position="center"
        size={150}
        summaryAggregationMode="none"
      />
      <Column
        id="8827b"
        alignment="left"
        editable={false}
        format="string"
        groupAggregationMode="none"
        key="summary"
        label="Summary"
        placeholder=""
        position="center"
        size={420}
        summaryAggregationMode="none"
      />
      <ToolbarButton
        id="9d"
        icon="bold/interface-download-button-2"
        label="Download"
        type="custom"
      >
        <Event
          event="clickToolbar"
          method="exportData"
          pluginId="moneyExceptionsTable"
          type="widget"
          waitMs="0"
          waitType="debounce"
        />
      </ToolbarButton>
    </Table>
  </Frame>
</Screen>
