import Crypto
import Registry

/// Whether the rows of one crate agree with each other. Pure.
///
/// | of a crate                                          | of each version                                     |
/// |-----------------------------------------------------|-----------------------------------------------------|
/// | its name is one, `identity` is that name's          | its line can be read, as strictly as on import      |
/// | it has versions, `newest` is the newest of them     | the line says the row's name, number, checksum, yank |
/// | checksum and size of the index file, generation     | `bare_number` is the number's, and there once       |
/// |                                                     | `checksums` remembers the same checksum             |
/// |                                                     | the published line, if it is kept, leads to this one |
enum CrateCheck {
    static func problems(_ crate: StoredCrate, in repository: RepositoryName) -> [VerifyProblem] {
        let place = "\(repository) \(crate.name)"
        var problems = ofCrate(crate, place)
        var bareNumbers: Set<String> = []
        for version in crate.versions {
            let place = "\(place) \(version.number)"
            if !bareNumbers.insert(version.bareNumber).inserted {
                problems.append(
                    VerifyProblem(.version, place, "the number \(version.bareNumber) is there more than once"))
            }
            problems += ofVersion(version, crate, place)
        }
        return problems
    }

    private static func ofCrate(_ crate: StoredCrate, _ place: String) -> [VerifyProblem] {
        guard !crate.versions.isEmpty else {
            // An upstream's crate that is gone.
            if crate.generation > 0, crate.indexChecksum == nil, crate.indexBytes == 0 { return [] }
            return [VerifyProblem(.crate, place, "the crate has no version; such a row should never be committed")]
        }
        var problems: [VerifyProblem] = []
        if (try? CrateName(crate.name))?.identity != crate.identity {
            problems.append(
                VerifyProblem(.crate, place, "the stored identity `\(crate.identity)` is not that of the name"))
        }
        if crate.generation < 1 {
            problems.append(
                VerifyProblem(.indexFile, place, "the generation is \(crate.generation); the first one is 1"))
        }
        let text = crate.versions.map { $0.line + "\n" }.joined()
        if crate.indexBytes != text.utf8.count {
            problems.append(
                VerifyProblem(
                    .indexFile, place,
                    "the index file has \(text.utf8.count) bytes, but \(crate.indexBytes) are stored as its size"))
        }
        let digest = Checksum(bytes: SHA256.hash(data: Array(text.utf8)))
        let stored = crate.indexChecksum.flatMap { Checksum(bytes: $0) }
        if digest != stored {
            problems.append(
                VerifyProblem(
                    .indexFile, place,
                    "the SHA-256 of the index file is \(shown(digest)), but \(shown(stored)) is stored: edges would refuse it"
                ))
        }
        let numbers = crate.versions.compactMap { version in
            (try? Version(version.number)).map { (version: $0, yanked: version.isYanked) }
        }
        if let newest = NewestVersion.among(numbers)?.description, newest != crate.newest {
            problems.append(
                VerifyProblem(.crate, place, "`\(crate.newest)` is stored as the newest version, which is \(newest)"))
        }
        return problems
    }

    private static func ofVersion(
        _ version: StoredCrate.Version, _ crate: StoredCrate, _ place: String
    ) -> [VerifyProblem] {
        var problems: [VerifyProblem] = []
        func disagrees(_ kind: VerifyProblem.Kind, _ text: String) {
            problems.append(VerifyProblem(kind, place, text))
        }
        let checksum = Checksum(bytes: version.checksum)
        if (try? Version(version.number))?.bare != version.bareNumber {
            disagrees(.version, "`\(version.bareNumber)` is stored as the number without build metadata")
        }
        if let remembered = version.remembered {
            if remembered != version.checksum {
                disagrees(
                    .checksums,
                    "the checksum once remembered is \(shown(Checksum(bytes: remembered))), the version's is "
                        + "\(shown(checksum)): its content was changed")
            }
        } else {
            disagrees(.checksums, "its checksum is not remembered; once deleted, other content could take its place")
        }
        // An upstream's line is passed on as it is, cargo's to judge.
        if !version.isProxied { problems += ofLine(version, crate, checksum, place) }
        if version.line.utf8.contains(UInt8(ascii: "\n")) { disagrees(.line, "the line holds a line feed") }
        return problems
    }

    private static func ofLine(
        _ version: StoredCrate.Version, _ crate: StoredCrate, _ checksum: Checksum?, _ place: String
    ) -> [VerifyProblem] {
        var problems: [VerifyProblem] = []
        func disagrees(_ kind: VerifyProblem.Kind, _ text: String) {
            problems.append(VerifyProblem(kind, place, text))
        }
        do {
            let line = try IndexLine(parsing: version.line)
            if line.name.spelling != crate.name { disagrees(.line, "the line names crate `\(line.name.spelling)`") }
            if line.version.description != version.number { disagrees(.line, "the line says version \(line.version)") }
            if line.checksum != checksum {
                disagrees(.line, "the line says SHA-256 \(line.checksum), the row says \(shown(checksum))")
            }
            if let published = version.published, !line.comes(from: published) {
                disagrees(.line, "the line does not follow from the published one, which is kept beside it")
            }
            if line.isYanked != version.isYanked {
                disagrees(
                    .line, "the line says \(yank(line.isYanked)), the row says \(yank(version.isYanked))")
            }
        } catch {
            disagrees(.line, error.description)
        }
        return problems
    }

    private static func shown(_ checksum: Checksum?) -> String { checksum?.description ?? "nothing" }

    private static func yank(_ isYanked: Bool) -> String { isYanked ? "yanked" : "not yanked" }
}

extension IndexLine {
    /// Whether it is the published line with its dependencies on crates.io inside, yanked or not.
    fileprivate func comes(from published: String) -> Bool {
        guard let published = try? IndexLine(parsing: published) else { return false }
        return published.withCratesIOInside?.with(yanked: isYanked) == self
    }
}
