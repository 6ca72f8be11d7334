extension VersionFacts {
    /// How the version came here.
    package struct Origin: Hashable, Sendable, Codable {
        /// The way it took.
        package enum Kind: String, CaseIterable, Hashable, Sendable, Codable { case published, imported, upstream }

        package let kind: Kind
        /// The upstream's name; null for the others.
        package let upstream: String?

        package init(_ kind: Kind, upstream: String? = nil) {
            self.kind = kind
            self.upstream = upstream
        }

        private enum CodingKeys: String, CodingKey { case kind, upstream }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(kind, forKey: .kind)
            try container.encode(upstream, forKey: .upstream)
        }
    }

    /// Whether resolvers are told to pass the version over, who said so, and since when.
    package struct Yank: Hashable, Sendable, Codable {
        /// Who yanked it.
        package enum By: String, Hashable, Sendable, Codable { case owner, upstream }

        package let isYanked: Bool
        /// Null if it is not yanked, or nobody knows.
        package let by: By?
        package let since: String?

        package init(isYanked: Bool, by: By? = nil, since: String? = nil) {
            self.isYanked = isYanked
            self.by = by
            self.since = since
        }

        private enum CodingKeys: String, CodingKey {
            case isYanked = "yanked"
            case by, since
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(isYanked, forKey: .isYanked)
            try container.encode(by, forKey: .by)
            try container.encode(since, forKey: .since)
        }
    }
}
