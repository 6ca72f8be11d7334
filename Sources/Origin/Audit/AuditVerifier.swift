/// Walks the whole log, archives first, and holds it against checkpoints.
struct AuditVerifier: Sendable {
    let trail: AuditTrail
    /// What signatures are held against: keys from outside, or else those of the database, which whoever changed the
    /// database could change as well.
    let keys: [AuditPublicKey]
    /// What was kept outside.
    let checkpoints: [AuditCheckpoint]
    /// In the order of their lines.
    let archives: [AuditArchiveFile]
    /// Downloads, which lines seal by their hash.
    let reads: ReadStore
    /// After how many days downloads go by themselves.
    let pullDays: Int

    struct Verdict: Sendable {
        var lines: Int
        var archived: Int
        var checkpoints: Int
        var head: AuditChain.Place
        var problems: [AuditChain.Problem]
        var problemCount: Int
    }

    func run() async throws -> Verdict {
        // The head first: what is written while this runs lies behind it.
        let head = try await trail.head()
        let stored = try await trail.archives()
        var chain = AuditChain(checkpoints: (checkpoints + stored).filter { $0.isSigned(by: keys) })
        for checkpoint in checkpoints + stored where !checkpoint.isSigned(by: keys) {
            chain.note(.badSignature("the checkpoint of line \(checkpoint.seq) is not signed by a key that is trusted"))
        }
        for archive in archives {
            try archive.forEachLine { chain.follow($0) }
            try checkEnd(of: archive, &chain)
        }
        let archived = chain.lines
        try await walk(upTo: head, stored, &chain)
        chain.end(at: head)
        return Verdict(
            lines: chain.lines - archived, archived: archived, checkpoints: checkpoints.count, head: head,
            problems: chain.problems, problemCount: chain.problemCount)
    }

    private func walk(
        upTo head: AuditChain.Place, _ stored: [AuditCheckpoint], _ chain: inout AuditChain
    ) async throws {
        var seals = PullSealCheck(store: PullSealStore(pool: reads.pool), days: pullDays)
        var isFirst = true
        var seq: Int64 = 0
        while true {
            let page = try await trail.lines(after: seq, upTo: head.seq)
            if isFirst, let first = page.first { begin(at: first, stored, &chain) }
            isFirst = false
            for line in page {
                chain.follow(line)
                if line.action == PullSeal.action, let problem = try await seals.problem(with: line.detail) {
                    chain.note(.downloads(seq: line.seq, problem))
                }
            }
            guard let last = page.last else { return }
            seq = last.seq
        }
    }

    /// Lines that are in an archive which nobody showed us are vouched for by its signed end.
    private func begin(at first: AuditLine, _ stored: [AuditCheckpoint], _ chain: inout AuditChain) {
        guard first.seq > chain.last.seq + 1 else { return }
        if let end = stored.last(where: { $0.seq == first.seq - 1 && $0.isSigned(by: keys) }) {
            chain.resume(at: end.place)
        } else {
            chain.note(.frontMissing(first: first.seq))
            chain.resume(at: AuditChain.Place(seq: first.seq - 1, hash: first.prev))
        }
    }

    private func checkEnd(of archive: AuditArchiveFile, _ chain: inout AuditChain) throws {
        let end = archive.end
        if !end.isSigned(by: keys) {
            chain.note(.badSignature("the archive \(archive.path) is not signed by a key that is trusted"))
        } else if end.place != chain.last {
            chain.note(.badSignature("the archive \(archive.path) does not end where its signature says"))
        }
    }
}
