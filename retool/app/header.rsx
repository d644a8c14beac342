<Frame
  id="$header"
  enableFullBleed={null}
  isHiddenOnDesktop={false}
  isHiddenOnMobile={false}
  padding="8px 12px"
  sticky={true}
  type="header"
>
  <Navigation
    id="pages"
    data="{{ retoolContext.pages }}"
    highlightByIndex="{{ retoolContext.currentPage === item.id }}"
    labels="{{ item.title || item.id }}"
  >
    <Event
      event="click"
      method="openPage"
      params={{ map: { pageName: "{{ item.id }}" } }}
      pluginId=""
      type="util"
      waitMs="0"
      waitType="debounce"
    />
  </Navigation>
  <Text
    id="healthText"
    marginType="normal"
    value="{{ showHealth.data ? `${showHealth.data.open_exceptions} open, ${showHealth.data.overdue_exceptions} overdue${showHealth.data.inbox_pending ? `, ${showHealth.data.inbox_pending} webhooks waiting` : ''}` : 'Pickgate does not answer' }}"
    verticalAlign="center"
  />
</Frame>
