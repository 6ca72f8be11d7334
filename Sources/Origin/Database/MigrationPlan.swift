/// What a program has to do to a database, decided from facts alone.
struct MigrationPlan: Equatable {
    /// A row of `schema_migrations`.
    struct Applied: Equatable {
        let number: Int
        let name: String
        let sha256: String
    }

    /// The migrations that the database lacks, in order.
    let missing: [Migration]

    /// - Throws: `databaseNewer` or `changed`: this program may not touch this database.
    init(known: [Migration], applied: [Applied]) throws(MigrationError) {
        precondition(zip(known, known.dropFirst()).allSatisfy { $0.number < $1.number }, "migrations stand in order")
        for row in applied {
            guard let migration = known.first(where: { $0.number == row.number }) else {
                throw .databaseNewer(number: row.number, name: row.name, known: known.last?.number ?? 0)
            }
            guard migration.sha256 == row.sha256 else { throw .changed(number: row.number, name: row.name) }
        }
        let done = Set(applied.map(\.number))
        missing = known.filter { !done.contains($0.number) }
    }
}

/// Why the schema was left as it is, in words fit for the operator.
package enum MigrationError: Error, Equatable, CustomStringConvertible {
    case databaseNewer(number: Int, name: String, known: Int)
    case changed(number: Int, name: String)
    /// `reason` is PostgreSQL's.
    case failed(number: Int, name: String, reason: String)
    case busy

    package var description: String {
        switch self {
        case .databaseNewer(let number, let name, let known):
            """
            the database has migration \(number) (\(name)), and this program knows migrations up to \(known) only: \
            start the newer version of longshore-origin that wrote it
            """
        case .changed(let number, let name):
            """
            migration \(number) (\(name)) is not the one that this database was made with: start the version of \
            longshore-origin that made it, and put changes of the schema into a new migration
            """
        case .failed(let number, let name, let reason):
            """
            migration \(number) (\(name)) failed and was undone: \(reason). The database is as it was before; \
            mend the cause and start again
            """
        case .busy:
            """
            another program has been migrating this database for more than a minute: wait for it, or end its \
            session (see pg_stat_activity), and start again
            """
        }
    }
}
