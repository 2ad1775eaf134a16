// The browser fills a form that one comes back to with what was typed, but not with its id: without it, Back and Save
// would record the same thing again. The history keeps it.
"use strict"
for (const id of document.querySelectorAll('input[type="hidden"][name="once"]')) {
  if (history.state?.once) id.value = history.state.once
  else history.replaceState({ ...history.state, once: id.value }, "")
}
