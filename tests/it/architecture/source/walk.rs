//! The walk through one file.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, FnArg, Item, ItemMod, Meta, Signature, Token, Type, UseTree, Visibility};

use super::{Declared, Found, Function, Place, Source, place};

/// Adds what `parsed` says to `source` and answers which of its modules are files of their own.
pub(super) fn walk(
    source: &mut Source,
    parsed: &syn::File,
    file: String,
    module: Vec<String>,
) -> Vec<Vec<String>> {
    let (owner, function) = (String::new(), String::new());
    let mut walk = Walk { source, file, module, owner, function, children: Vec::new() };
    walk.visit_file(parsed);
    walk.children
}

struct Walk<'s> {
    source: &'s mut Source,
    file: String,
    module: Vec<String>,
    owner: String,
    function: String,
    children: Vec<Vec<String>>,
}

impl Walk<'_> {
    fn found<T>(&self, span: Span, what: T) -> Found<T> {
        Found {
            what,
            place: Place {
                file: self.file.clone(),
                line: span.start().line,
                module: self.module.join("::"),
                function: self.function.clone(),
            },
        }
    }

    /// A path from the crate's root where it says so, else as it is written.
    fn resolved(&self, segments: &[String]) -> Vec<String> {
        let up = segments.iter().take_while(|step| *step == "super").count();
        let here = self.module.iter().take(self.module.len().saturating_sub(up));
        let crate_root = std::iter::once("crate".to_owned());
        match segments.first().map(String::as_str) {
            Some("self") => crate_root.chain(here.cloned()).chain(segments[1..].to_vec()).collect(),
            Some("super") => crate_root.chain(here.cloned()).chain(segments[up..].to_vec()).collect(),
            Some("redline_mcp") => crate_root.chain(segments[1..].to_vec()).collect(),
            Some("Self") if !self.owner.is_empty() => {
                std::iter::once(self.owner.clone()).chain(segments[1..].to_vec()).collect()
            }
            Some(_) | None => segments.to_vec(),
        }
    }

    fn path(&mut self, span: Span, segments: &[String]) {
        let path = self.resolved(segments);
        let found = self.found(span, path);
        self.source.paths.push(found);
    }

    fn call(&mut self, span: Span, segments: &[String]) {
        let path = self.resolved(segments);
        let found = self.found(span, path);
        self.source.calls.push(found);
    }

    fn literal(&mut self, span: Span, segments: &[String]) {
        if let Some(name) = self.resolved(segments).pop() {
            let found = self.found(span, name);
            self.source.literals.push(found);
        }
    }

    fn imports(&mut self, prefix: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.imports(prefix, &path.tree);
                prefix.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.imports(prefix, tree)),
            UseTree::Glob(glob) => self.path(glob.star_token.spans[0], &with(prefix, "*")),
            UseTree::Name(name) => self.path(name.ident.span(), &with(prefix, &name.ident.to_string())),
            UseTree::Rename(rename) => {
                self.path(rename.ident.span(), &with(prefix, &rename.ident.to_string()));
                let alias = self.found(rename.ident.span(), [rename.ident.to_string()].into());
                self.source.aliases.push(alias);
            }
        }
    }

    /// What can be told of tokens that aren't Rust's own syntax: paths, and what follows them.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => self.text(literal),
                TokenTree::Punct(_) => {}
                TokenTree::Ident(first) => {
                    let method = at > 0 && is_punct(&trees, at - 1, '.');
                    let mut segments = vec![first.to_string()];
                    while is_punct(&trees, at + 1, ':') && is_punct(&trees, at + 2, ':') {
                        let Some(TokenTree::Ident(next)) = trees.get(at + 3) else { break };
                        segments.push(next.to_string());
                        at += 3;
                    }
                    let follows = match trees.get(at + 1) {
                        Some(TokenTree::Group(group)) => Some((group.delimiter(), group.stream())),
                        Some(_) | None => None,
                    };
                    match follows {
                        Some((Delimiter::Parenthesis, arguments)) if method => {
                            let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
                            let count =
                                syn::parse::Parser::parse2(parse, arguments).map_or(0, |list| list.len());
                            let found = self.found(first.span(), (first.to_string(), count));
                            self.source.methods.push(found);
                        }
                        Some((Delimiter::Parenthesis, _)) => self.call(first.span(), &segments),
                        Some((Delimiter::Brace, _)) => self.literal(first.span(), &segments),
                        Some(_) | None => {}
                    }
                    if is_punct(&trees, at + 1, '!') {
                        let found = self.found(first.span(), segments[segments.len() - 1].clone());
                        self.source.macros.push(found);
                    }
                    self.path(first.span(), &segments);
                }
            }
            at += 1;
        }
    }

    /// A text of an attribute may be a path, as in `serde(with = "…")`.
    fn text(&mut self, literal: &proc_macro2::Literal) {
        let text = literal.to_string();
        let inner = text.trim_matches('"');
        if inner.starts_with("crate::") || inner.starts_with("super::") || inner.starts_with("self::") {
            let segments: Vec<String> = inner.split("::").map(str::to_owned).collect();
            self.path(literal.span(), &segments);
        }
    }

    fn function(&mut self, signature: &Signature, visibility: &Visibility, inside: impl FnOnce(&mut Self)) {
        let named = signature.ident.to_string();
        let whole = if self.owner.is_empty() { named } else { format!("{}::{named}", self.owner) };
        let before = std::mem::replace(&mut self.function, whole);
        let mut returns = match &signature.output {
            syn::ReturnType::Type(_, ty) => types(ty),
            syn::ReturnType::Default => BTreeSet::new(),
        };
        if returns.remove("Self") {
            returns.insert(self.owner.clone());
        }
        let takes = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(typed) => Some(match &*typed.ty {
                Type::Path(path) => last(&path.path),
                _ => "&".to_owned(),
            }),
        });
        let function = Function { takes: takes.collect(), visibility: visible(visibility), returns };
        let found = self.found(signature.ident.span(), function);
        self.source.functions.push(found);
        inside(self);
        self.function = before;
    }

    fn declared(&mut self, ident: &syn::Ident, attributes: &[Attribute], sealed: bool, fields: &[&Type]) {
        let declared = Declared {
            name: ident.to_string(),
            derives: derives(attributes),
            sealed,
            holds: fields.iter().flat_map(|ty| types(ty)).collect(),
        };
        let found = self.found(ident.span(), declared);
        self.source.types.push(found);
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item {
            let path = with(&self.module, &module.ident.to_string());
            self.source.tests.insert(place(&path));
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        match &module.content {
            Some((_, items)) => items.iter().for_each(|item| self.visit_item(item)),
            None => self.children.push(self.module.clone()),
        }
        self.module.pop();
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.imports(&mut Vec::new(), &import.tree);
    }

    fn visit_item_type(&mut self, alias: &'ast syn::ItemType) {
        let found = self.found(alias.ident.span(), types(&alias.ty));
        self.source.aliases.push(found);
        visit::visit_item_type(self, alias);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let sealed = item.fields.iter().all(|field| matches!(field.vis, Visibility::Inherited));
        let fields: Vec<&Type> = item.fields.iter().map(|field| &field.ty).collect();
        self.declared(&item.ident, &item.attrs, sealed, &fields);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let fields: Vec<&Type> =
            item.variants.iter().flat_map(|variant| &variant.fields).map(|field| &field.ty).collect();
        self.declared(&item.ident, &item.attrs, false, &fields);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            Type::Path(path) => last(&path.path),
            _ => String::new(),
        };
        if let Some((implemented, _)) = &item.trait_ {
            let found = self.found(item.impl_token.span, (last(implemented), owner.clone()));
            self.source.impls.push(found);
        }
        let before = std::mem::replace(&mut self.owner, owner);
        visit::visit_item_impl(self, item);
        self.owner = before;
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let before = std::mem::replace(&mut self.owner, item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.owner = before;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.vis, |walk| visit::visit_item_fn(walk, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig, &item.vis, |walk| visit::visit_impl_item_fn(walk, item));
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, &Visibility::Inherited, |walk| visit::visit_trait_item_fn(walk, item));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path.segments[0].ident.span(), &segments(path));
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            self.call(path.path.segments[0].ident.span(), &segments(&path.path));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let found = self.found(call.method.span(), (call.method.to_string(), call.args.len()));
        self.source.methods.push(found);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        self.literal(literal.path.segments[0].ident.span(), &segments(&literal.path));
        visit::visit_expr_struct(self, literal);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        let found = self.found(invoked.path.segments[0].ident.span(), last(&invoked.path));
        self.source.macros.push(found);
        self.visit_path(&invoked.path);
        match invoked.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(list) => list.iter().for_each(|expression| self.visit_expr(expression)),
            Err(_) => self.tokens(invoked.tokens.clone()),
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

fn with(prefix: &[String], last: &str) -> Vec<String> {
    prefix.iter().cloned().chain([last.to_owned()]).collect()
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn last(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

fn is_punct(trees: &[TokenTree], at: usize, character: char) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Every type named in `ty`, those inside others included.
fn types(ty: &Type) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            self.0.insert(last(path));
            visit::visit_path(self, path);
        }
    }
    let mut names = Names(BTreeSet::new());
    names.visit_type(ty);
    names.0
}

fn visible(visibility: &Visibility) -> String {
    match visibility {
        Visibility::Public(_) => "pub".to_owned(),
        Visibility::Restricted(restricted) => format!("pub({})", segments(&restricted.path).join("::")),
        Visibility::Inherited => String::new(),
    }
}

fn derives(attributes: &[Attribute]) -> BTreeSet<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let parse = Punctuated::<syn::Path, Token![,]>::parse_terminated;
    lists.flat_map(|list| list.parse_args_with(parse).unwrap()).map(|path| last(&path)).collect()
}

/// Whether only a test build has it: exactly `#[cfg(test)]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
