// Changing single members of a JSON body and leaving every other byte as it came.

/// Collects edits of a document and then writes the new body. White space, key order, number spelling and unknown
/// members outside the edits survive byte for byte; commas come out right whatever is removed or added.
///
/// A key that occurs twice is changed or removed at each occurrence: whichever one the receiver reads, it reads ours.
/// Of two edits of the same thing the later counts. An edit inside something that is itself replaced is void.
/// Values are given as raw JSON, which is not checked.
package struct JSONSplicer {
    private struct Edit {
        let range: Range<Int>
        let text: [UInt8]
    }

    private struct ObjectEdits {
        let index: JSONIndex
        var isRemoved: [Bool]
        var added: [(key: [UInt8], value: [UInt8])] = []
    }

    private let document: JSONDocument
    private var objects: [ObjectEdits] = []
    private var replacements: [Edit] = []

    package init(_ document: JSONDocument) {
        self.document = document
    }

    /// Replaces a value of the document wherever it is nested.
    package mutating func replace(_ value: JSONSlice, with json: [UInt8]) {
        replacements.removeAll { $0.range == value.range }
        replacements.append(Edit(range: value.range, text: json))
    }

    /// Gives a member a value: replaces it, or adds it as the last member of the object.
    /// - Parameter object: An object of the document; nil means the top level. Other kinds of values are left alone.
    package mutating func set(_ key: StaticString, to json: [UInt8], in object: JSONSlice? = nil) {
        set(key.withBytes { [UInt8]($0) }, to: json, in: object)
    }

    /// Gives a member a value; the key is given as plain UTF-8.
    package mutating func set(_ key: [UInt8], to json: [UInt8], in object: JSONSlice? = nil) {
        guard let slot = slot(for: object) else { return }
        var isPresent = false
        for place in places(of: key, in: slot) {
            isPresent = true
            objects[slot].isRemoved[place] = false
            replace(objects[slot].index.members[place].value, with: json)
        }
        guard !isPresent else { return }
        objects[slot].added.removeAll { $0.key == key }
        objects[slot].added.append((key, json))
    }

    /// Adds a member only if the object has none with this key.
    package mutating func setDefault(_ key: StaticString, to json: [UInt8], in object: JSONSlice? = nil) {
        setDefault(key.withBytes { [UInt8]($0) }, to: json, in: object)
    }

    /// Adds a member only if the object has none with this key, given as plain UTF-8.
    package mutating func setDefault(_ key: [UInt8], to json: [UInt8], in object: JSONSlice? = nil) {
        guard let slot = slot(for: object) else { return }
        let isPresent =
            places(of: key, in: slot).contains { !objects[slot].isRemoved[$0] }
            || objects[slot].added.contains { $0.key == key }
        if !isPresent { set(key, to: json, in: object) }
    }

    /// Removes a member, with the comma that goes with it.
    package mutating func remove(_ key: StaticString, in object: JSONSlice? = nil) {
        remove(key.withBytes { [UInt8]($0) }, in: object)
    }

    /// Removes a member; the key is given as plain UTF-8.
    package mutating func remove(_ key: [UInt8], in object: JSONSlice? = nil) {
        guard let slot = slot(for: object) else { return }
        for place in places(of: key, in: slot) { objects[slot].isRemoved[place] = true }
        objects[slot].added.removeAll { $0.key == key }
    }

    /// The new body.
    package func bytes() -> [UInt8] {
        var output: [UInt8] = []
        appendBytes(to: &output)
        return output
    }

    /// Appends the new body.
    package func appendBytes(to output: inout [UInt8]) {
        var edits = ByteEdits()
        for edit in replacements { edits.replace(edit.range, with: edit.text) }
        for object in objects { appendEdits(of: object, to: &edits) }
        edits.append(document.bytes, to: &output)
    }
}

// MARK: - Planning

extension JSONSplicer {
    private mutating func slot(for object: JSONSlice?) -> Int? {
        let start = object?.start ?? document.index.object.start
        if let slot = objects.firstIndex(where: { $0.index.object.start == start }) { return slot }
        guard let index = object.map({ document.index(of: $0) }) ?? document.index else { return nil }
        objects.append(
            ObjectEdits(index: index, isRemoved: [Bool](repeating: false, count: index.members.count))
        )
        return objects.count - 1
    }

    private func places(of key: [UInt8], in slot: Int) -> [Int] {
        let members = objects[slot].index.members
        return document.bytes.withBytes { source in
            key.withBytes { key in members.indices.filter { members[$0].key.equals(key, in: source) } }
        }
    }

    /// Turns an object's removals and additions into edits that do not overlap.
    private func appendEdits(of object: ObjectEdits, to edits: inout ByteEdits) {
        let members = object.index.members
        let firstKept = object.isRemoved.firstIndex(of: false)
        for (place, member) in members.enumerated() where object.isRemoved[place] {
            let range: Range<Int>
            if let firstKept, place > firstKept {
                // With the comma before it.
                range = members[place - 1].value.end..<member.value.end
            } else {
                // With the comma behind it, if there is one.
                let isLast = place + 1 == members.count
                range = member.key.start..<(isLast ? member.value.end : members[place + 1].key.start)
            }
            edits.replace(range, with: [])
        }
        guard !object.added.isEmpty else { return }
        var writer = JSONWriter()
        if firstKept != nil { writer.continueContainer() }
        for (key, value) in object.added {
            key.withBytes { writer.key(utf8: $0) }
            writer.raw(value)
        }
        let place = firstKept == nil ? object.index.object.start + 1 : (members.last?.value.end ?? 0)
        edits.replace(place..<place, with: writer.bytes)
    }
}
