// The JSON of `VersionFacts`. Written by hand where a value may be absent: Swift's own coding leaves such a key out, and
// a policy that asks for it would then find nothing instead of null.

extension VersionFacts: Codable {
    private enum CodingKeys: String, CodingKey {
        case schema, repository, name, identity, version
        case isPrerelease = "prerelease"
        case checksum, bytes, origin
        case publishedAt = "published_at"
        case firstSeenAt = "first_seen_at"
        case yank, license
        case hasBuildScript = "build_script"
        case isProcMacro = "proc_macro"
        case links, dependencies, advisories, sources
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.schema, forKey: .schema)
        try container.encode(repository, forKey: .repository)
        try container.encode(name, forKey: .name)
        try container.encode(identity, forKey: .identity)
        try container.encode(version, forKey: .version)
        try container.encode(isPrerelease, forKey: .isPrerelease)
        try container.encode(checksum, forKey: .checksum)
        try container.encode(bytes, forKey: .bytes)
        try container.encode(origin, forKey: .origin)
        try container.encode(publishedAt, forKey: .publishedAt)
        try container.encode(firstSeenAt, forKey: .firstSeenAt)
        try container.encode(yank, forKey: .yank)
        try container.encode(license, forKey: .license)
        try container.encode(hasBuildScript, forKey: .hasBuildScript)
        try container.encode(isProcMacro, forKey: .isProcMacro)
        try container.encode(links, forKey: .links)
        try container.encode(dependencies, forKey: .dependencies)
        try container.encode(advisories, forKey: .advisories)
        try container.encode(sources.mapValues(\.rawValue), forKey: .sources)
    }

    /// - Throws: also if `schema` is another one: its keys could mean something else.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let schema = try container.decode(String.self, forKey: .schema)
        guard schema == Self.schema else {
            throw DecodingError.dataCorruptedError(
                forKey: .schema, in: container,
                debugDescription: "facts of schema \(Self.schema) are read, not \(schema)")
        }
        self.init(
            repository: try container.decode(String.self, forKey: .repository),
            name: try container.decode(String.self, forKey: .name),
            identity: try container.decode(String.self, forKey: .identity),
            version: try container.decode(String.self, forKey: .version),
            isPrerelease: try container.decode(Bool.self, forKey: .isPrerelease),
            checksum: try container.decode(String.self, forKey: .checksum),
            bytes: try container.decodeIfPresent(Int.self, forKey: .bytes),
            origin: try container.decode(Origin.self, forKey: .origin),
            publishedAt: try container.decodeIfPresent(String.self, forKey: .publishedAt),
            firstSeenAt: try container.decode(String.self, forKey: .firstSeenAt),
            yank: try container.decode(Yank.self, forKey: .yank),
            license: try container.decode(LicenseFacts.self, forKey: .license),
            hasBuildScript: try container.decodeIfPresent(Bool.self, forKey: .hasBuildScript),
            isProcMacro: try container.decodeIfPresent(Bool.self, forKey: .isProcMacro),
            links: try container.decodeIfPresent(String.self, forKey: .links),
            dependencies: try container.decode(DependencyCounts.self, forKey: .dependencies),
            advisories: try container.decode([AdvisoryMatch].self, forKey: .advisories),
            sources: try container.decode([String: FactSource].self, forKey: .sources))
    }
}

extension AdvisoryMatch: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, kind, title, aliases, published, withdrawn, vector, score, severity, functions, architectures, systems
    }

    /// `severity` is a word even without a score: `unscored`.
    package static let unscored = "unscored"

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(kind, forKey: .kind)
        try container.encode(title, forKey: .title)
        try container.encode(aliases, forKey: .aliases)
        try container.encode(published, forKey: .published)
        try container.encode(withdrawn, forKey: .withdrawn)
        try container.encode(vector, forKey: .vector)
        try container.encode(score, forKey: .score)
        try container.encode(severity?.rawValue ?? Self.unscored, forKey: .severity)
        try container.encode(functions, forKey: .functions)
        try container.encode(architectures, forKey: .architectures)
        try container.encode(systems, forKey: .systems)
    }

    /// Score and severity are computed again from the vector, so that they can't contradict it.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try container.decode(String.self, forKey: .id),
            kind: try container.decode(AdvisoryKind.self, forKey: .kind),
            title: try container.decode(String.self, forKey: .title),
            aliases: try container.decode([String].self, forKey: .aliases),
            published: try container.decode(String.self, forKey: .published),
            withdrawn: try container.decodeIfPresent(String.self, forKey: .withdrawn),
            vector: try container.decodeIfPresent(String.self, forKey: .vector),
            functions: try container.decode([String].self, forKey: .functions),
            architectures: try container.decode([String].self, forKey: .architectures),
            systems: try container.decode([String].self, forKey: .systems))
    }
}
