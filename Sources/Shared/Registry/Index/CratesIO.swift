extension IndexURL {
    /// Whether a line means crates.io by this address, in any spelling that cargo takes for it: git or sparse, with or
    /// without `registry+`, `.git` and a final slash, whatever the case.
    package static func isCratesIO(_ text: String) -> Bool {
        var rest = text.lowercased()[...]
        for prefix in ["registry+", "sparse+"] where rest.hasPrefix(prefix) { rest = rest.dropFirst(prefix.count) }
        while rest.last == "/" { rest = rest.dropLast() }
        if rest.hasSuffix(".git") { rest = rest.dropLast(".git".count) }
        return rest == cratesIO || rest == "https://index.crates.io"
    }
}

extension IndexLine {
    /// The line with its dependencies on crates.io taken for dependencies on the registry that it stands in; nil if it
    /// has none. Everything else stays, the checksum too.
    package var withCratesIOInside: IndexLine? {
        guard dependencies.contains(where: { $0.registry.map(IndexURL.isCratesIO) ?? false }) else { return nil }
        return with(
            dependencies: dependencies.map { dependency in
                dependency.registry.map(IndexURL.isCratesIO) ?? false ? dependency.inside : dependency
            })
    }

    /// The same line with other dependencies.
    package func with(dependencies: [IndexDependency]) -> IndexLine {
        IndexLine(
            name: name, version: version, dependencies: dependencies, checksum: checksum, features: features,
            features2: features2, isYanked: isYanked, links: links, rustVersion: rustVersion, format: format,
            pubtime: pubtime)
    }
}

extension IndexDependency {
    /// The same dependency, in the registry that the line stands in.
    package var inside: IndexDependency {
        IndexDependency(
            name: name, requirement: requirement, features: features, isOptional: isOptional,
            usesDefaultFeatures: usesDefaultFeatures, target: target, kind: kind, registry: nil, package: package)
    }
}
