// Checks the Dockerfile, the compose file and the Kubernetes manifests of the
// folder above; prints what is wrong and then ends with 1.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { DCLinter } from 'dclint'
import { validate } from 'dockerfile-utils'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'

const require = createRequire(import.meta.url)
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const wrong = []

for (const d of validate(readFileSync(path('Dockerfile'), 'utf8'))) {
  wrong.push(`Dockerfile:${d.range.start.line + 1}: ${d.message}`)
}

// Its errors are what compose would refuse; the balancer's port is open on purpose.
const compose = new DCLinter({ rules: { 'no-unbound-port-interfaces': 0 } })
for (const file of compose.lintFiles([path('compose.yaml')], false)) {
  for (const m of file.messages.filter((m) => m.type === 'error')) wrong.push(`compose.yaml:${m.line}: ${m.message}`)
}

// The models know what values must look like; their types, what fields there are.
const manifests = parseAllDocuments(readFileSync(path('kubernetes/wenzhen.yaml'), 'utf8')).map((d) => d.toJS())
const literals = manifests.map((object, i) => {
  const { apiVersion, kind } = object
  const model = `kubernetes-models/${apiVersion}/${kind}`
  try {
    new (require(model)[kind])(object).validate()
  } catch (e) {
    wrong.push(`wenzhen.yaml: ${kind}: ${e.message}`)
  }
  return `import type { I${kind} as Kind${i} } from '${model}'\nexport const object${i}: Kind${i} = ${JSON.stringify(object)}\n`
})
const file = fileURLToPath(new URL('manifests.ts', import.meta.url))
const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 }
const host = ts.createCompilerHost(options)
const read = host.getSourceFile
host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, literals.join(''), ts.ScriptTarget.ES2022) : read(name, ...rest))
for (const d of ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))) {
  wrong.push(`wenzhen.yaml: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`)
}

for (const line of wrong) console.error(line)
console.log(`${manifests.length} manifests, a compose file and a Dockerfile were checked`)
process.exit(wrong.length > 0 ? 1 : 0)
