import FoundationEssentials
import Hosting
import Registry

/// What an edge refused, as lines of the audit log; pure.
///
/// What can't be is left out and counted as refused, as in `ReadRows`, and times are believed as far as there. The edge's
/// name is in each line: it is the edge's word.
struct RefusalRows: Sendable {
    /// A token that refusals speak of, by its id or its hash.
    struct Holder: Hashable, Sendable {
        let id: Int64
        let sha256: String
        let login: String
        let isRevoked: Bool
        let isExpired: Bool
    }

    private struct Row {
        let refusal: AccessRefusal
        let repository: RepositoryName?
        let crate: CrateName?
        let version: String?
        let subject: Int64?
    }

    private static let pathCharactersMax = 210
    private static let reasonCharactersMax = 500

    private(set) var refused = 0
    private var rows: [Row] = []

    /// - Parameter now: seconds since 1970, by the origin's clock.
    init(_ batch: AccessBatch, now: Int) {
        for refusal in batch.refusals ?? [] {
            if let row = Self.row(refusal, ReadRows.times(at: now), now) { rows.append(row) } else { refused += 1 }
        }
    }

    var isEmpty: Bool { rows.isEmpty }
    /// The ids of tokens whose holders the lines name.
    var subjects: [Int64] { rows.compactMap(\.subject) }
    /// Hashes of secrets, in hex, of which some may be known.
    var hashes: [String] { rows.compactMap(\.refusal.sha256) }

    /// In the order in which the edge told them.
    func lines(from edge: String, _ holders: [Holder]) -> [(entry: AuditEntry, source: RequestSource)] {
        let byID = Dictionary(holders.map { ($0.id, $0) }) { first, _ in first }
        let byHash = Dictionary(holders.map { ($0.sha256, $0) }) { first, _ in first }
        return rows.map { row in
            let refusal = row.refusal
            let holder = row.subject.flatMap { byID[$0] } ?? refusal.sha256.flatMap { byHash[$0] }
            let entry = AuditEntry(
                actor: holder?.login ?? Self.stranger(row), tokenID: holder?.id, action: "access.refused",
                repository: row.repository, crate: row.crate, version: row.version, rule: Self.rule(refusal, holder),
                detail: Self.detail(refusal, edge))
            return (entry, RequestSource(address: refusal.address, request: refusal.request))
        }
    }

    private static func stranger(_ row: Row) -> String {
        if row.refusal.rule == AccessRefusal.Rule.overTheLimit { return "many others" }
        if let subject = row.subject { return "token \(subject)" }
        let isBad = row.refusal.sha256 != nil || row.refusal.rule == AccessRefusal.Rule.tokenMalformed
        return isBad ? "bad token" : "no token"
    }

    /// The edge can't know why the origin knows no such token.
    private static func rule(_ refusal: AccessRefusal, _ holder: Holder?) -> String {
        guard refusal.rule == AccessRefusal.Rule.tokenUnknown, let holder else { return refusal.rule }
        if holder.isRevoked { return AccessRefusal.Rule.tokenRevoked }
        return holder.isExpired ? AccessRefusal.Rule.tokenExpired : refusal.rule
    }

    private static func detail(_ refusal: AccessRefusal, _ edge: String) -> [String: String] {
        var detail = ["count": "\(refusal.count)", "edge": edge]
        detail["first"] = Pubtime(secondsSince1970: Int64(refusal.first))?.description
        detail["last"] = Pubtime(secondsSince1970: Int64(refusal.last))?.description
        detail["path"] = refusal.path.map { Redaction.mask(String($0.prefix(pathCharactersMax))) }
        detail["reason"] = refusal.reason.map { Redaction.mask(String($0.prefix(reasonCharactersMax))) }
        return detail
    }

    private static func row(_ told: AccessRefusal, _ times: ClosedRange<Int>, _ now: Int) -> Row? {
        guard (1...ReadRows.countMax).contains(told.count), isWord(told.rule), isAddress(told.address),
            told.request.map({ $0.utf8.count <= 20 && $0.utf8.allSatisfy(isDigit) }) ?? true,
            told.sha256.map({ Checksum(hex: $0) != nil }) ?? true
        else { return nil }
        var refusal = told
        refusal.first = times.contains(told.first) ? told.first : now
        refusal.last = max(refusal.first, times.contains(told.last) ? told.last : now)
        do {
            let subject = told.subject.map { Int64($0) ?? 0 }
            guard subject.map({ $0 > 0 }) ?? true else { return nil }
            return Row(
                refusal: refusal, repository: try told.repository.map { try RepositoryName($0) },
                crate: try told.crate.map { try CrateName($0) },
                version: try told.version.map { try Version($0).description }, subject: subject)
        } catch {
            // Names that can't be.
            return nil
        }
    }

    private static func isWord(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "-") || (0x61...0x7A).contains($0) }
    }

    /// As `inet_ntop` writes them, or at least of those characters.
    private static func isAddress(_ text: String?) -> Bool {
        guard let text else { return true }
        return (2...45).contains(text.utf8.count)
            && text.utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) || $0 == 0x2E || $0 == 0x3A }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
