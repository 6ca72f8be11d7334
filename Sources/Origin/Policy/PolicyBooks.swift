import Postgres
import PolicyRules
import Synchronization

/// Rules that were read lately. A text never changes once it is stored, so nothing has to be forgotten but for room.
final class PolicyBooks: Sendable {
    private static let booksMax = 64

    private let books = Mutex<[Int64: RuleBook]>([:])

    /// - Returns: nil if the repository's rules were taken away.
    func book(_ id: Int64, in transaction: Transaction) async throws -> RuleBook? {
        if let book = books.withLock({ $0[id] }) { return book }
        let rows = try await transaction.query("SELECT text FROM policies WHERE id = \(id)")
        guard let text = try rows.first?.value("text", as: String?.self) else { return nil }
        let book: RuleBook
        do {
            book = RuleBook(try PolicyFile(parsing: text))
        } catch {
            throw PolicyDamage(id: id, cause: error.description)
        }
        books.withLock { books in
            if books.count >= Self.booksMax { books.removeAll() }
            books[id] = book
        }
        return book
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
