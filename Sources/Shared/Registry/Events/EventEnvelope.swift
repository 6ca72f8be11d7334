import FoundationEssentials

/// An event with its place in the feed, and the JSON in which it travels and is stored.
package struct EventEnvelope: Hashable, Sendable {
    /// Gapless, in commit order, from 1.
    package let position: UInt64
    package let event: RegistryEvent

    package init(position: UInt64, event: RegistryEvent) {
        self.position = position
        self.event = event
    }

    /// Reads what stands in the `id:`, `event:` and `data:` lines; whatever it can't understand becomes `.unknown`.
    package init(position: UInt64, kind: String, data: String) {
        self.init(position: position, event: RegistryEvent(kind: kind, data: data) ?? .unknown(kind: kind))
    }
}

extension RegistryEvent {
    /// One line of JSON with sorted keys, without line breaks.
    package var data: String {
        let fields: Fields =
            switch self {
            case .index(let change):
                Fields(
                    repository: change.repository.description, crate: change.crate.lowered,
                    generation: change.generation, sha256: change.checksum?.description, bytes: change.bytes)
            case .version(let repository, let crate, let version):
                Fields(repository: repository.description, crate: crate.lowered, version: version)
            case .token(let subject): Fields(subject: subject)
            case .repository(let repository): Fields(repository: repository.description)
            case .keys, .edges, .unknown: Fields()
            }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(fields) else { preconditionFailure("plain fields are always JSON") }
        return String(decoding: json, as: UTF8.self)
    }

    fileprivate init?(kind: String, data: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(data.utf8)) else { return nil }
        let repository = fields.repository.flatMap { try? RepositoryName($0) }
        let crate = fields.crate.flatMap { try? CrateName($0) }
        switch kind {
        case "index":
            guard let repository, let crate, let generation = fields.generation else { return nil }
            let checksum = fields.sha256.flatMap { Checksum(hex: $0) }
            guard (checksum == nil) == (fields.sha256 == nil) else { return nil }
            self = .index(
                IndexChange(
                    repository: repository, crate: crate, generation: generation, checksum: checksum,
                    bytes: fields.bytes ?? 0))
        case "version":
            guard let repository, let crate, let version = fields.version else { return nil }
            self = .version(repository: repository, crate: crate, version: version)
        case "token":
            guard let subject = fields.subject else { return nil }
            self = .token(subject: subject)
        case "repository":
            guard let repository else { return nil }
            self = .repository(repository)
        case "keys": self = .keys
        case "edges": self = .edges
        default: return nil
        }
    }

    private struct Fields: Codable {
        var repository: String?
        var crate: String?
        var version: String?
        var generation: UInt64?
        var sha256: String?
        var bytes: Int?
        var subject: String?
    }
}
