<Screen
  id="exceptions"
  _customShortcuts={[]}
  _hashParams={[]}
  _order={0}
  _searchParams={[]}
  browserTitle="Pickgate: Exceptions"
  title="Exceptions"
  urlSlug="exceptions"
  uuid="80851a25-01d5-51a2-b9b4-7bd4cc39b5e6"
>
  <RESTQuery
    id="listExceptions"
    isMultiplayerEdited={false}
    query="api/v1/exceptions?q={{ encodeURIComponent(exceptionsSearch.value || '') }}&state={{ encodeURIComponent(exceptionsState.value || 'open') }}&sort=due_at&limit={{ encodeURIComponent(Math.min(exceptionsTable.pagination?.pageSize || 25, 200)) }}&offset={{ encodeURIComponent(exceptionsTable.pagination?.offset || 0) }}"
    queryTimeout="30000"
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenPageLoads={true}
    showSuccessToaster={false}
  />
  <RESTQuery
    id="assignToMe"
    body={'[{"key":"ids","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.id) }}"},{"key":"expected","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.version) }}"},{"key":"assignee","value":"{{ current_user.email }}"},{"key":"reason","value":"{{ exceptionsReason.value }}"}]'}
    bodyType="json"
    confirmationMessage="Take {{ (exceptionsTable.selectedSourceRows || []).length }} exception(s)?"
    isMultiplayerEdited={false}
    query="api/v1/exceptions/assign"
    queryDisabled="{{ !(exceptionsTable.selectedSourceRows || []).length }}"
    queryTimeout="30000"
    requireConfirmation={true}
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenModelUpdates={false}
    successMessage="They are yours"
    type="POST"
  >
    <Event
      event="success"
      method="trigger"
      params={{ ordered: [] }}
      pluginId="listExceptions"
      type="datasource"
      waitMs="0"
      waitType="debounce"
    />
  </RESTQuery>
  <RESTQuery
    id="snoozeTicked"
    body={'[{"key":"ids","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.id) }}"},{"key":"expected","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.version) }}"},{"key":"reason","value":"{{ exceptionsReason.value }}"},{"key":"until","value":"{{ moment().add(1, \'day\').toISOString() }}"}]'}
    bodyType="json"
    confirmationMessage="Hide {{ (exceptionsTable.selectedSourceRows || []).length }} exception(s) until tomorrow?"
    isMultiplayerEdited={false}
    query="api/v1/exceptions/snooze"
    queryDisabled="{{ !(exceptionsTable.selectedSourceRows || []).length || (exceptionsReason.value || '').trim().length < 3 }}"
    queryTimeout="30000"
    requireConfirmation={true}
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenModelUpdates={false}
    successMessage="Hidden until tomorrow"
    type="POST"
  >
    <Event
      event="success"
      method="trigger"
      params={{ ordered: [] }}
      pluginId="listExceptions"
      type="datasource"
      waitMs="0"
      waitType="debounce"
    />
  </RESTQuery>
  <RESTQuery
    id="resolveTicked"
    body={'[{"key":"ids","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.id) }}"},{"key":"expected","value":"{{ (exceptionsTable.selectedSourceRows || []).map(row => row.version) }}"},{"key":"reason","value":"{{ exceptionsReason.value }}"}]'}
    bodyType="json"
    confirmationMessage="Resolve {{ (exceptionsTable.selectedSourceRows || []).length }} exception(s)? If the cause stays, they open again."
    isMultiplayerEdited={false}
    query="api/v1/exceptions/resolve"
    queryDisabled="{{ !(exceptionsTable.selectedSourceRows || []).length || (exceptionsReason.value || '').trim().length < 3 }}"
    queryTimeout="30000"
    requireConfirmation={true}
    resourceDisplayName="Pickgate"
    resourceName="REPLACE_WITH_RESOURCE_UUID"
    resourceTypeOverride=""
    runWhenModelUpdates={false}
    successMessage="Resolved"
    type="POST"
  >
    <Event
      event="success"
      method="trigger"
      params={{ ordered: [] }}
      pluginId="listExceptions"
      type="datasource"
      waitMs="0"
      waitType="debounce"
    />
  </RESTQuery>
  <Frame
    id="$main"
    enableFullBleed={false}
    isHiddenOnDesktop={false}
    isHiddenOnMobile={false}
    padding="8px 12px"
    type="main"
  >
    <Text
      id="exceptionsTitle"
      marginType="normal"
      value="### Exceptions"
      verticalAlign="center"
    />
    <TextInput
      id="exceptionsSearch"
      label="Search"
      labelPosition="top"
      marginType="normal"
      placeholder="Order or words"
      showClear={true}
      value=""
    />
    <Select
      id="exceptionsState"
      emptyMessage="No options"
      itemMode="static"
      label="State"
      labelPosition="top"
      marginType="normal"
      overlayMaxHeight={375}
      placeholder="Any"
      showClear={true}
      showSelectionIndicator={true}
      value="open"
    >
      <Option id="99e17" label="Open" value="open" />
      <Option id="10be7" label="Snoozed" value="snoozed" />
      <Option id="dd1e1" label="Resolved" value="resolved" />
      <Option id="5b4c9" label="All" value="all" />
    </Select>
    <TextInput
      id="exceptionsReason"
      label="Reason"
      labelPosition="top"
      marginType="normal"
      placeholder="For the audit and for colleagues"
      showClear={true}
      value=""
    />
    <Button
      id="takeButton"
      disabled="{{ !(exceptionsTable.selectedSourceRows || []).length }}"
      marginType="normal"
      styleVariant="outline"
      text="Take"
    >
      <Event
        event="click"
        method="trigger"
        params={{ ordered: [] }}
        pluginId="assignToMe"
        type="datasource"
        waitMs="0"
        waitType="debounce"
      />
    </Button>
    <Button
      id="snoozeButton"
      disabled="{{ !(exceptionsTable.selectedSourceRows || []).length || (exceptionsReason.value || '').trim().length < 3 }}"
      marginType="normal"
      styleVariant="outline"
      text="Until tomorrow"
    >
      <Event
        event="click"
        method="trigger"
        params={{ ordered: [] }}
        pluginId="snoozeTicked"
        type="datasource"
        waitMs="0"
        waitType="debounce"
      />
    </Button>
    <Button
      id="resolveButton"
      disabled="{{ !(exceptionsTable.selectedSourceRows || []).length || (exceptionsReason.value || '').trim().length < 3 }}"
      marginType="normal"
      text="Resolve"
    >
      <Event
        event="click"
        method="trigger"
        params={{ ordered: [] }}
        pluginId="resolveTicked"
        type="datasource"
        waitMs="0"
        waitType="debounce"
      />
    </Button>
    <Table
      id="exceptionsTable"
      cellSelection="none"
      data="{{ listExceptions.data?.items || [] }}"
      defaultSelectedRow={{ mode: "none", indexType: "display", index: 0 }}
      emptyMessage="No exceptions"
      limitOffsetRowCount="{{ listExceptions.data?.total || 0 }}"
      overflowType="pagination"
      primaryKeyColumnId="369c9"
      rowHeight="small"
      rowSelection="multiple"
      serverPaginated={true}
      showBorder={true}
      showFooter={true}
      showHeader={true}
      templatePageSize="25"
      toolbarPosition="bottom"
    >
      <Column
        id="369c9"
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
        id="c591f"
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
        id="3b52d"
        alignment="left"
        editable={false}
        format="string"
        groupAggregationMode="none"
        key="order_name"
        label="Order"
        placeholder=""
        position="center"
        size={100}
        summaryAggregationMode="none"
      />
      <Column
        id="a7516"
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
        id="48260"
        alignment="left"
        editable={false}
        format="tag"
        formatOptions={{ automaticColors: true }}
        groupAggregationMode="none"
        key="owner"
        label="Owner"
        placeholder=""
        position="center"
        size={100}
        summaryAggregationMode="none"
      />
      <Column
        id="0de61"
        alignment="left"
        editable={false}
        format="string"
        groupAggregationMode="none"
        key="assignee"
        label="Taken by"
        placeholder=""
        position="center"
        size={150}
        summaryAggregationMode="none"
      />
      <Column
        id="4a17d"
        alignment="left"
        editable={false}
        format="tag"
        formatOptions={{ automaticColors: true }}
        groupAggregationMode="none"
        key="severity"
        label="Severity"
        placeholder=""
        position="center"
        size={90}
        summaryAggregationMode="none"
      />
      <Column
        id="06530"
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
        id="41cd8"
        alignment="right"
        editable={false}
        format="decimal"
        groupAggregationMode="none"
        key="count"
        label="Found"
        placeholder=""
        position="center"
        size={70}
        summaryAggregationMode="none"
      />
      <Column
        id="45fc1"
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
      <Column
        id="2c663"
        alignment="left"
        editable={false}
        format="string"
        groupAggregationMode="none"
        hidden="true"
        key="version"
        label="Version"
        placeholder=""
        position="center"
        size={120}
        summaryAggregationMode="none"
      />
      <ToolbarButton
        id="07"
        icon="bold/interface-download-button-2"
        label="Download"
        type="custom"
      >
        <Event
          event="clickToolbar"
          method="exportData"
          pluginId="exceptionsTable"
          type="widget"
          waitMs="0"
          waitType="debounce"
        />
      </ToolbarButton>
    </Table>
  </Frame>
</Screen>
