import Facts
import Postgres
import Registry

/// Writes what an upstream said: lines, validator, audit row and event in one transaction.
extension UpstreamStore {
    /// What came of an answer, for the log.
    enum Outcome: Hashable, Sendable {
        case present
        case absent
        /// Another replica was faster, or the name is published here or at an earlier upstream by now.
        case overtaken
    }

    /// - Parameters:
    ///   - file: what the answer's body says.
    ///   - standing: as it was when the upstream was asked; an answer to an older question is dropped.
    /// - Throws: `UpstreamFault` if nothing of it can be taken; then nothing has changed.
    func keep(
        _ answer: UpstreamAnswer, _ file: UpstreamFile?, of name: CrateName, _ standing: UpstreamStanding,
        in repository: Repository
    ) async throws -> Outcome {
        try await pool.withTransaction { transaction in
            guard try await note(answer, of: name, standing, transaction) else { return .overtaken }
            try await endFault(of: name, standing.upstream, transaction, isFile: file != nil)
            switch answer {
            case .unchanged: return .present
            case .absent:
                try await drop(name, standing.upstream, in: repository, transaction)
                return .absent
            case .file:
                guard let file else { preconditionFailure("a body was read before the transaction") }
                return try await merge(file, standing, in: repository, transaction)
            }
        }
    }

    /// Neither the name nor, if it concerns that, the whole upstream is asked before its pause is over.
    func noteFault(_ fault: UpstreamFault, of name: CrateName, _ upstream: Upstream) async throws {
        if fault.extent == .upstream {
            _ = try await pool.execute(
                """
                UPDATE upstreams SET pause_cause = \(fault.description),
                  paused_until = greatest(paused_until, now() + make_interval(secs => \(fault.pauseSeconds)))
                WHERE id = \(upstream.id)
                """)
        }
        _ = try await pool.execute(
            """
            INSERT INTO upstream_faults (upstream_id, name, cause, retry_at) VALUES (\(upstream.id), \
            \(name.lowered), \(fault.description), now() + make_interval(secs => \(fault.pauseSeconds)))
            ON CONFLICT (upstream_id, name) DO UPDATE SET cause = EXCLUDED.cause, at = now(),
              retry_at = EXCLUDED.retry_at
            """)
    }

    /// A changed checksum (its `retry_at` is its time) stays visible until another file comes.
    private func endFault(
        of name: CrateName, _ upstream: Upstream, _ transaction: Transaction, isFile: Bool
    ) async throws {
        _ = try await transaction.execute(
            """
            DELETE FROM upstream_faults
            WHERE upstream_id = \(upstream.id) AND name = \(name.lowered) AND (\(isFile) OR retry_at > at)
            """)
    }

    /// - Returns: false if somebody wrote an answer since `standing` was read.
    private func note(
        _ answer: UpstreamAnswer, of name: CrateName, _ standing: UpstreamStanding, _ transaction: Transaction
    ) async throws -> Bool {
        var validator = standing.answered?.validator
        var isAbsent = false
        switch answer {
        case .absent: (isAbsent, validator) = (true, nil)
        case .unchanged: break
        case .file(_, let new): validator = new
        }
        let rows = try await transaction.execute(
            """
            INSERT INTO upstream_files (upstream_id, name, is_absent, etag, last_modified)
            VALUES (\(standing.upstream.id), \(name.lowered), \(isAbsent), \(validator?.etag), \
            \(validator?.lastModified))
            ON CONFLICT (upstream_id, name) DO UPDATE SET is_absent = EXCLUDED.is_absent, etag = EXCLUDED.etag,
              last_modified = EXCLUDED.last_modified, checked_at = now(), claimed_until = NULL,
              stamp = upstream_files.stamp + 1
            WHERE upstream_files.stamp = \(standing.answered?.stamp ?? -1)
            """)
        return rows > 0
    }

    /// The upstream has the crate no more: its file goes, checksums stay remembered and blobs stay stored.
    private func drop(
        _ name: CrateName, _ upstream: Upstream, in repository: Repository, _ transaction: Transaction
    ) async throws {
        guard let crate = try await CrateRows.lock(name, in: repository.id, transaction),
            crate.name.lowercased() == name.lowered
        else { return }
        let count = try await transaction.execute(
            "DELETE FROM versions WHERE crate_id = \(crate.id) AND upstream_id = \(upstream.id)")
        guard count > 0 else { return }
        let change = try await CrateRows.clearIndexFile(of: crate, in: repository.name, transaction)
        try await record("upstream.gone", name, upstream, ["removed": "\(count)"], in: repository, transaction)
        _ = try await events.append([change], in: transaction)
    }

    private func merge(
        _ file: UpstreamFile, _ standing: UpstreamStanding, in repository: Repository, _ transaction: Transaction
    ) async throws -> Outcome {
        let upstream = standing.upstream
        guard let name = file.lines.last?.name else { preconditionFailure("a file has a line") }
        let crate = try await CrateRows.lockOrCreate(name, in: repository.id, transaction)
        guard try await !CrateRows.isOwn(crate, transaction),
            try await !isBehind(upstream, name, crate, in: repository, transaction)
        else { return .overtaken }
        let held = try await held(crate, transaction)
        let merge = UpstreamMerge(
            file, held: held, remembered: try await remembered(name, in: repository, transaction))
        guard held.count + merge.added.count > merge.removed.count else {
            throw UpstreamFault("every version of `\(name.spelling)` has another checksum than it once had")
        }
        let taken = try await takeOver(crate, upstream, transaction)
        guard merge.changes else {
            let verdicts = try await facts.changed(taken, cause: .upstream, in: transaction)
            try await noteRefused(merge, name, upstream, in: repository, transaction)
            try await audit.record(verdicts.entries, in: transaction)
            if !verdicts.events.isEmpty { _ = try await events.append(verdicts.events, in: transaction) }
            return .present
        }
        var verdicts = try await write(merge, crate, name, upstream, in: repository, transaction)
        verdicts += try await facts.changed(taken, cause: .upstream, in: transaction)
        let change = try await CrateRows.renewIndexFile(of: crate, in: repository.name, transaction)
        try await noteRefused(merge, name, upstream, in: repository, transaction)
        let counts = [
            "added": merge.added.count, "replaced": merge.replaced.count, "removed": merge.removed.count,
        ]
        try await record(
            "upstream.change", name, upstream, counts.filter { $0.value > 0 }.mapValues { "\($0)" }, in: repository,
            transaction)
        try await audit.record(verdicts.entries, in: transaction)
        // In the order of the file's generations.
        _ = try await events.append(verdicts.events + [change], in: transaction)
        return .present
    }

    private func write(
        _ merge: UpstreamMerge, _ crate: CrateRows.Crate, _ name: CrateName, _ upstream: Upstream,
        in repository: Repository, _ transaction: Transaction
    ) async throws -> Verdicts {
        if !merge.removed.isEmpty {
            _ = try await transaction.execute(
                "DELETE FROM versions WHERE crate_id = \(crate.id) AND bare_number = ANY(\(merge.removed)::text[])")
        }
        var verdicts = Verdicts.none
        for line in merge.replaced {
            let rows = try await transaction.query(
                """
                UPDATE versions SET number = \(line.version.description), line = \(line.text), source_line = NULL,
                  yanked = \(line.isYanked), upstream_yanked = \(line.isYanked), upstream_id = \(upstream.id)
                FROM versions AS before
                WHERE before.id = versions.id AND versions.crate_id = \(crate.id)
                  AND versions.bare_number = \(line.version.bare)
                RETURNING versions.id, before.upstream_yanked AS was_yanked
                """)
            for row in rows {
                let id = try row.value("id", as: Int64.self)
                let isNews = try row.value("was_yanked", as: Bool.self) != line.isYanked
                verdicts +=
                    isNews
                    ? try await facts.yanked(id, by: line.isYanked ? .upstream : nil, in: transaction)
                    : try await facts.changed([id], cause: .upstream, in: transaction)
            }
        }
        guard !merge.added.isEmpty else { return verdicts }
        let new = try await insert(merge.added, crate, name, upstream, in: repository, transaction)
        verdicts += try await facts.record(new, cause: .upstream, in: transaction)
        return verdicts
    }

    /// All at once: popular crates bring hundreds of versions.
    ///
    /// - Returns: what the lines alone say of the versions; the manifest comes with the file.
    private func insert(
        _ lines: [UpstreamLine], _ crate: CrateRows.Crate, _ name: CrateName, _ upstream: Upstream,
        in repository: Repository, _ transaction: Transaction
    ) async throws -> [NewFacts] {
        let bare = lines.map(\.version.bare)
        let checksums = lines.map(\.checksum.description)
        _ = try await transaction.execute(
            """
            INSERT INTO checksums (repository, identity, bare_number, checksum)
            SELECT \(repository.name.description), \(name.identity), bare, decode(checksum, 'hex')
            FROM unnest(\(bare)::text[], \(checksums)::text[]) AS line (bare, checksum) ON CONFLICT DO NOTHING
            """)
        let rows = try await transaction.query(
            """
            INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, yanked, upstream_yanked,
              upstream_id)
            SELECT \(crate.id), number, bare, decode(checksum, 'hex'), 0, text, is_yanked = 'true',
              is_yanked = 'true', \(upstream.id)
            FROM unnest(\(lines.map(\.version.description))::text[], \(bare)::text[], \(checksums)::text[],
              \(lines.map(\.text))::text[], \(lines.map { "\($0.isYanked)" })::text[])
              WITH ORDINALITY AS line (number, bare, checksum, text, is_yanked, place) ORDER BY place
            RETURNING id, bare_number
            """)
        let byNumber = Dictionary(lines.map { ($0.version.bare, $0) }, uniquingKeysWith: { first, _ in first })
        return try rows.compactMap { row in
            try byNumber[row.value("bare_number", as: String.self)].map { line in
                NewFacts(try row.value("id", as: Int64.self), line, of: upstream)
            }
        }
    }

    private func held(
        _ crate: CrateRows.Crate, _ transaction: Transaction
    ) async throws -> [String: UpstreamMerge.Held] {
        var held: [String: UpstreamMerge.Held] = [:]
        let rows = try await transaction.query(
            """
            SELECT bare_number, checksum, coalesce(source_line, line) AS line FROM versions
            WHERE crate_id = \(crate.id)
            """)
        for row in rows {
            guard let checksum = Checksum(bytes: try row.value("checksum", as: [UInt8].self)) else { continue }
            held[try row.value("bare_number", as: String.self)] = UpstreamMerge.Held(
                checksum: checksum, text: try row.value("line", as: String.self))
        }
        return held
    }

    private func remembered(
        _ name: CrateName, in repository: Repository, _ transaction: Transaction
    ) async throws -> [String: Checksum] {
        var remembered: [String: Checksum] = [:]
        let rows = try await transaction.query(
            """
            SELECT bare_number, checksum FROM checksums
            WHERE repository = \(repository.name.description) AND identity = \(name.identity)
            """)
        for row in rows {
            remembered[try row.value("bare_number", as: String.self)] = Checksum(
                bytes: try row.value("checksum", as: [UInt8].self))
        }
        return remembered
    }

    /// I2: recorded where the operator looks, and in the audit log.
    private func noteRefused(
        _ merge: UpstreamMerge, _ name: CrateName, _ upstream: Upstream, in repository: Repository,
        _ transaction: Transaction
    ) async throws {
        guard !merge.refused.isEmpty else { return }
        let numbers = merge.refused.prefix(5).map(\.version.description).joined(separator: ", ")
        let cause = "it changed the checksum of \(merge.refused.count) versions (\(numbers)); what was held stays"
        _ = try await transaction.execute(
            """
            INSERT INTO upstream_faults (upstream_id, name, cause, retry_at)
            VALUES (\(upstream.id), \(name.lowered), \(cause), now())
            """)
        try await record("upstream.refused", name, upstream, ["versions": numbers], in: repository, transaction)
    }

    private func record(
        _ action: String, _ name: CrateName, _ upstream: Upstream, _ detail: [String: String],
        in repository: Repository, _ transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(
                actor: "upstream \(upstream.name)", action: action, repository: repository.name, crate: name,
                detail: detail), in: transaction)
    }
}

extension NewFacts {
    /// A line that is of a newer form than ours still names its version; the rest of it is not known then.
    init(_ versionID: Int64, _ line: UpstreamLine, of upstream: Upstream) {
        self.init(
            versionID: versionID, identity: line.name.identity, version: line.version,
            origin: .init(.upstream, upstream: upstream.name), publishedAt: line.told?.publishedAt, traits: nil,
            links: line.told?.links, dependencies: line.told?.dependencies ?? DependencyCounts([]))
    }
}
