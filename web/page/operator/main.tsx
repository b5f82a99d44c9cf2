/** Where the operator's page begins. */
import { render } from 'preact'
import { OperatorApp } from './operator-app.tsx'
import '../styles/tokens.css'
import '../styles/base.css'
import '../styles/operator.css'
import '../styles/operator-tree.css'
import '../styles/operator-detail.css'
import '../styles/operator-widths.css'

const root = document.getElementById('app')
if (root !== null) render(<OperatorApp />, root)
