/** Where the page begins. */
import { render } from 'preact'
import { App } from './app.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/lobby.css'
import './styles/call.css'
import './styles/panel.css'
import './styles/link.css'
import './styles/polls.css'

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
