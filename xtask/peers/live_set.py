"""Writes a small Live 12 set as XML, with the standard library alone."""

import xml.etree.ElementTree as ET

TRACKS = ["Drums", "Bass", "Keys", "Voice"]
RETURN = "Reverb"
SCENES = ["Intro", "Verse", "Chorus", "Bridge", "Outro"]
PARAMETERS = ["Frequency", "Resonance", "Drive"]


def _value(parent, name, value):
    return ET.SubElement(parent, name, Value=str(value))


def _manual(parent, name, value):
    element = ET.SubElement(parent, name)
    _value(element, "Manual", value)
    return element


def _name(parent, name):
    element = ET.SubElement(parent, "Name")
    _value(element, "EffectiveName", name)
    _value(element, "UserName", name)


def _mixer(parent, sends):
    mixer = ET.SubElement(parent, "Mixer")
    holders = ET.SubElement(mixer, "Sends")
    for number in range(sends):
        holder = ET.SubElement(holders, "TrackSendHolder", Id=str(number))
        _manual(holder, "Send", 0.0003)
        _value(holder, "EnabledByUser", "true")
    _manual(mixer, "Speaker", "true")
    _value(mixer, "SoloSink", "false")
    _manual(mixer, "Pan", 0)
    _manual(mixer, "Volume", 1)
    _manual(mixer, "CrossFadeState", 1)
    return mixer


def _slot(slots, row, clip):
    outer = ET.SubElement(slots, "ClipSlot", Id=str(row))
    inner = ET.SubElement(outer, "ClipSlot")
    value = ET.SubElement(inner, "Value")
    if clip:
        midi = ET.SubElement(value, "MidiClip", Id="0", Time="0")
        _value(midi, "CurrentStart", 0)
        _value(midi, "CurrentEnd", 4)
        loop = ET.SubElement(midi, "Loop")
        _value(loop, "LoopStart", 0)
        _value(loop, "LoopEnd", 4)
        _value(loop, "LoopOn", "true")
        _value(midi, "Name", clip)
        _value(midi, "Color", 5)
        _value(midi, "Disabled", "false")
    _value(outer, "HasStop", "true")


def _devices(parent):
    chain = ET.SubElement(parent, "DeviceChain")
    devices = ET.SubElement(chain, "Devices")
    for number, kind in enumerate(["Operator", "Eq8"]):
        device = ET.SubElement(devices, kind, Id=str(number))
        _manual(device, "On", "true")
        _value(device, "UserName", "")
        for parameter in PARAMETERS:
            _manual(device, parameter, 0.5)


def _track(tracks, number, kind, name, has_slots):
    track = ET.SubElement(tracks, kind, Id=str(number))
    _name(track, name)
    _value(track, "Color", number)
    _value(track, "TrackGroupId", -1)
    _value(track, "Freeze", "false")
    chain = ET.SubElement(track, "DeviceChain")
    _mixer(chain, 1 if has_slots else 0)
    if has_slots:
        slots = ET.SubElement(ET.SubElement(chain, "MainSequencer"), "ClipSlotList")
        for row in range(len(SCENES)):
            _slot(slots, row, f"{name} {row}" if row < 2 else None)
    _devices(chain)


def write(path):
    """Writes the set: four tracks, a return and the main track, five scenes."""
    root = ET.Element("Ableton", MajorVersion="5", MinorVersion="12.0_12049", Creator="Ableton Live 12.0")
    live_set = ET.SubElement(root, "LiveSet")
    tracks = ET.SubElement(live_set, "Tracks")
    for number, name in enumerate(TRACKS):
        _track(tracks, number, "MidiTrack", name, True)
    _track(tracks, len(TRACKS), "ReturnTrack", RETURN, False)
    main = ET.SubElement(live_set, "MainTrack")
    _name(main, "Main")
    mixer = _mixer(ET.SubElement(main, "DeviceChain"), 0)
    _manual(mixer, "Tempo", 120)
    _manual(mixer, "TimeSignature", 201)
    scenes = ET.SubElement(live_set, "Scenes")
    for row, name in enumerate(SCENES):
        scene = ET.SubElement(scenes, "Scene", Id=str(row))
        _value(scene, "Name", name)
        _value(scene, "Annotation", "")
        _value(scene, "Color", -1)
        _value(scene, "Tempo", 120)
        _value(scene, "IsTempoEnabled", "false")
        _value(scene, "TimeSignatureId", 201)
        _value(scene, "IsTimeSignatureEnabled", "false")
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
