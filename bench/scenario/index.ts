/** The door of bench/scenario: scenarios read from YAML, and their criteria judged. */
export { type Expression, figuresOf } from './expression.ts'
export { FIGURES, type FigureIds, type FigureRow, figureProblem } from './figures.ts'
export { loadScenario, scenarioNames } from './io.ts'
export { type JudgeOptions, judge } from './judge.ts'
export { LIST_USAGE, listCommand, type MissingNeeds } from './list.ts'
export { ScenarioError, type ScenarioProblem } from './problem.ts'
export { type ReadScenario, readScenario } from './read.ts'
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
  WindowPlan,
} from './scenario.ts'
export { type SchemaRow, type SchemaTable, schemaTables } from './schema-tables.ts'
export { UNITS } from './units.ts'
