import Registry
import Synchronization
import TestSupport

@testable import Origin

/// Closures that are asked ahead, of crates that need each other.
extension UpstreamScene {
    /// Offers version 1.0.0 of a crate.
    ///
    /// - Parameter extra: more members of its line.
    func offer(_ name: String, needs names: [String] = [], extra: String = "") throws {
        let needs = names.map {
            #"{"name":"\#($0)","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}"#
        }
        let checksum = String(repeating: "ab", count: 31) + (name.utf8.count % 2 == 0 ? "00" : "11")
        let line = """
            {"name":"\(name)","vers":"1.0.0","deps":[\(needs.joined(separator: ","))],"cksum":"\(checksum)",\
            "features":{},"yanked":false\(extra)}

            """
        let path = try CrateName(name).indexPath.description
        upstream.set { $0.index[path] = Array(line.utf8) }
    }

    func ahead(_ limits: ClosureAhead.Limits = .patient) -> ClosureAhead {
        ClosureAhead(
            store: ClosureStore(pool: origin.slices.pool), upstreams: origin.slices.upstreamDesk, limits: limits)
    }

    /// Names that the closure of `root` brings, and those that it calls absent.
    func closure(of root: String, by ahead: ClosureAhead) async throws -> (brought: [String], absent: [String]) {
        let question = ClosureQuestion(roots: [try CrateName(root).indexPath])
        let list = Mutex<[ClosureList.Item]>([])
        let isGathered = try await ahead.prepare(question, in: repository)
        try await ahead.read(question, in: repository, isPacked: true, isGathered: isGathered) { part in
            if case .list(let made, _, _) = part { list.withLock { $0 = made.items } }
        }
        let items = list.withLock { $0 }
        return (
            items.filter { $0.state != .absent }.map(\.path.name).sorted(),
            items.filter { $0.state == .absent }.map(\.path.name).sorted()
        )
    }
}

extension ClosureAhead.Limits {
    /// Waits longer than any of it takes here.
    static let patient: Self = {
        var limits = Self()
        limits.waitMax = .seconds(120)
        return limits
    }()
}
