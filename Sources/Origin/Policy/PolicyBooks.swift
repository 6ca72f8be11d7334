import Postgres
import PolicyRules
import Synchronization

/// Rules as they judge: an engine behind its interface, and whom to ask about a refusal.
struct StoredRules: Sendable {
    let engine: any PolicyEngine
    let ask: String

    init(_ file: PolicyFile) {
        engine = RuleBook(file)
        ask = file.ask
    }
}

/// Rules that were read lately. A text never changes once it is stored, so nothing has to be forgotten but for room.
final class PolicyBooks: Sendable {
    private static let booksMax = 64

    private let books = Mutex<[Int64: StoredRules]>([:])

    /// - Returns: nil if the repository's rules were taken away.
    func rules(_ id: Int64, in transaction: Transaction) async throws -> StoredRules? {
        if let rules = books.withLock({ $0[id] }) { return rules }
        let rows = try await transaction.query("SELECT text FROM policies WHERE id = \(id)")
        guard let text = try rows.first?.value("text", as: String?.self) else { return nil }
        let rules: StoredRules
        do {
            rules = StoredRules(try PolicyFile(parsing: text))
        } catch {
            throw PolicyDamage(id: id, cause: error.description)
        }
        books.withLock { books in
            if books.count >= Self.booksMax { books.removeAll() }
            books[id] = rules
        }
        return rules
    }
}

/// Rules that were read when they were set can't be read now.
struct PolicyDamage: Error, CustomStringConvertible {
    let id: Int64
    let cause: String

    var description: String {
        "the stored rules \(id) can't be read by this program (\(cause)); is it older than the one that took them?"
    }
}

/// An engine did not judge each version that it was given.
struct EngineFault: Error, CustomStringConvertible {
    let asked: Int
    let answered: Int

    var description: String { "the policy engine judged \(answered) of \(asked) versions" }
}
