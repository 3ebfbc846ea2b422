/**
 * Writes src/recipes/recipe-options.json: every recipe with its options, types, defaults and descriptions, out of the declarations
 * and their comments. `npm run reference` writes it; a test holds it to the sources.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { RecipeEntry, RecipeOption } from '../src/recipes/catalogue';

const project = join(__dirname, '..');

/** The recipes that the library exports, by name. */
export function recipeCatalogue(): readonly RecipeEntry[] {
  const { config } = ts.readConfigFile(join(project, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, project);
  const entry = join(project, 'src', 'index.ts');
  const program = ts.createProgram([entry], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter((symbol) => symbol.flags & ts.SymbolFlags.Class && /.Recipe$/.test(symbol.name))
    .map((symbol) => entryOf(symbol, checker))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function entryOf(recipe: ts.Symbol, checker: ts.TypeChecker): RecipeEntry {
  const type = checker.getTypeOfSymbol(recipe);
  const [parameter] = type.getConstructSignatures()[0]!.getParameters();
  const options = checker.getNonNullableType(checker.getTypeOfSymbol(parameter!));
  return {
    name: recipe.name,
    summary: commentOf(recipe, checker),
    options: options.getProperties().map((option) => optionOf(option, checker)),
  };
}

function optionOf(option: ts.Symbol, checker: ts.TypeChecker): RecipeOption {
  const declaration = option.declarations![0] as ts.PropertySignature;
  const given = option.getJsDocTags(checker).find(({ name }) => name === 'default');
  const required = !(option.flags & ts.SymbolFlags.Optional);
  // One that a recipe requires may inherit its comment from where it may be left out.
  const fallback = required ? undefined : given && ts.displayPartsToString(given.text);
  return {
    name: option.name,
    type: declaration.type!.getText().replace(/\s+/g, ' '),
    required,
    ...(fallback !== undefined && { default: fallback }),
    description: commentOf(option, checker),
  };
}

function commentOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim();
}

/** The catalogue as its file holds it. */
export function catalogueText(): string {
  return `${JSON.stringify(recipeCatalogue(), null, 2)}\n`;
}

if (require.main === module) writeFileSync(join(project, 'src', 'recipes', 'recipe-options.json'), catalogueText());
