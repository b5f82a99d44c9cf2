/** The door of bench/scenario: scenarios read from YAML, and their criteria judged. */
export { type Expression, figuresOf } from './expression.ts'
export { type JudgeOptions, judge } from './judge.ts'
export type {
  Criterion,
  Fault,
  HttpPlan,
  LinkFault,
  LinkPlan,
  Need,
  NodeFault,
  NodePlan,
  Placement,
  Scenario,
  SiteGroup,
} from './scenario.ts'
